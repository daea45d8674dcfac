"""Named aggregates: frozen descriptions that the generated code has inline."""

from streams.aggregates.aggregate import Aggregate as Aggregate
from streams.aggregates.count import count as count
from streams.aggregates.ends import first as first
from streams.aggregates.ends import last as last
from streams.aggregates.extremes import max_ as max_
from streams.aggregates.extremes import min_ as min_
from streams.aggregates.lists import collect as collect
from streams.aggregates.lists import distinct as distinct
from streams.aggregates.lists import top_k as top_k
from streams.aggregates.mean import mean as mean
from streams.aggregates.quantile import quantile as quantile
from streams.aggregates.stddev import stddev as stddev
from streams.aggregates.sum import sum_ as sum_
