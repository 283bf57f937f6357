"""Derivatives declared by hand: `rule`, ready-made rules, and `check_rule`."""

from .check import check_rule as check_rule
from .rule import Rule as Rule
from .rule import rule as rule
from .rules import clip_gradient as clip_gradient
from .rules import clip_gradient_norm as clip_gradient_norm
from .rules import relu as relu
from .rules import reverse_gradient as reverse_gradient
from .rules import scale_gradient as scale_gradient
from .rules import straight_through as straight_through
