"""Classification of Spark 4.1's functions, following the groups of Spark's function registry."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


AGGREGATES = _names(
    """
    any any_value approx_count_distinct approx_percentile approx_top_k approx_top_k_accumulate
    approx_top_k_combine array_agg avg bit_and bit_or bit_xor bitmap_and_agg bitmap_construct_agg
    bitmap_or_agg bool_and bool_or collect_list collect_set corr count count_if count_min_sketch
    covar_pop covar_samp every first first_value grouping grouping_id histogram_numeric hll_sketch_agg
    hll_union_agg kll_merge_agg_bigint kll_merge_agg_double kll_merge_agg_float kll_sketch_agg_bigint
    kll_sketch_agg_double kll_sketch_agg_float kurtosis last last_value listagg max max_by mean median
    min min_by mode percentile percentile_approx percentile_cont percentile_disc regr_avgx regr_avgy
    regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy schema_of_variant_agg
    skewness some std stddev stddev_pop stddev_samp string_agg sum theta_intersection_agg
    theta_sketch_agg theta_union_agg try_avg try_sum var_pop var_samp variance
    """
)
"""Aggregate functions: one value from many rows."""

PICKING = {
    "any_value": "Use `min`, or `max_by(value, order)` with an order that is unique.",
    "first": "Use `min`, or `min_by(value, order)` with an order that is unique.",
    "first_value": "Use `min`, or `min_by(value, order)` with an order that is unique.",
    "last": "Use `max`, or `max_by(value, order)` with an order that is unique.",
    "last_value": "Use `max`, or `max_by(value, order)` with an order that is unique.",
}
"""Aggregates that pick a row by its position, each with a hint."""

LISTING = {
    "array_agg": "Sort the list immediately: `array_sort(array_agg(...))`.",
    "collect_list": "Sort the list immediately: `array_sort(collect_list(...))`.",
    "collect_set": "Sort the list immediately: `array_sort(collect_set(...))`.",
    "listagg": "Declare the order: `listagg(name, ', ') WITHIN GROUP (ORDER BY name)`.",
    "string_agg": "Declare the order: `string_agg(name, ', ') WITHIN GROUP (ORDER BY name)`.",
}
"""Aggregates whose value depends on the order of rows, each with a hint."""

TIED = {
    "max_by": "Include the value in the order: `max_by(value, struct(order, value))`.",
    "min_by": "Include the value in the order: `min_by(value, struct(order, value))`.",
    "mode": "Take the least value: `mode(value, true)`.",
}
"""Aggregates that pick any of several values that tie, each with a hint."""

APPROXIMATE = {
    "approx_percentile": "Use `percentile`, which is exact.",
    "approx_top_k": "Count exactly: GROUP BY the value.",
    "approx_top_k_accumulate": "Count exactly: GROUP BY the value.",
    "approx_top_k_combine": "Count exactly: GROUP BY the value.",
    "histogram_numeric": "Count rows by buckets of fixed width: `width_bucket`.",
    "hll_sketch_agg": "Use `approx_count_distinct`, or `count(DISTINCT ...)`.",
    "hll_union_agg": "Use `approx_count_distinct`, or `count(DISTINCT ...)`.",
    "percentile_approx": "Use `percentile`, which is exact.",
    "theta_intersection_agg": "Use `count(DISTINCT ...)`.",
    "theta_sketch_agg": "Use `approx_count_distinct`, or `count(DISTINCT ...)`.",
    "theta_union_agg": "Use `approx_count_distinct`, or `count(DISTINCT ...)`.",
}
"""Approximate aggregates whose value depends on the order of rows, each with a hint."""

ORDER_FREE = _names(
    """
    any approx_count_distinct avg bit_and bit_or bit_xor bitmap_and_agg bitmap_construct_agg
    bitmap_or_agg bool_and bool_or corr count count_if count_min_sketch covar_pop covar_samp every
    grouping grouping_id kurtosis max mean median min percentile percentile_cont percentile_disc
    regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
    schema_of_variant_agg skewness some std stddev stddev_pop stddev_samp sum try_avg try_sum var_pop
    var_samp variance
    """
)
"""Aggregates that do not depend on the order of rows, except for the last digits of float and double."""

ORDER_FREE_READERS = _names(
    """
    array_contains array_max array_min array_size array_sort cardinality size sort_array
    """
)
"""Functions of a list whose result does not depend on its order."""

ORDER_KEEPERS = _names("array_compact array_distinct")
"""Functions of a list that keep its order and whose values do not depend on it."""

POSITIONAL = _names(
    """
    lag lead nth_value ntile row_number
    """
)
"""Window functions that depend on a row's position, also among rows that tie."""

WINDOWS = _names(
    """
    cume_dist dense_rank lag lead nth_value ntile percent_rank rank row_number
    """
)
"""Window functions: one value for each row, with OVER only."""

GENERATORS = _names(
    """
    explode explode_outer inline inline_outer json_tuple posexplode posexplode_outer range stack
    variant_explode variant_explode_outer
    """
)
"""Generators: any number of rows from one value."""

NON_DETERMINISTIC = _names(
    """
    collations curdate current_catalog current_database current_date current_schema current_time
    current_timestamp current_timezone current_user input_file_block_length input_file_block_start
    input_file_name java_method kll_merge_agg_bigint kll_merge_agg_double kll_merge_agg_float
    kll_sketch_agg_bigint kll_sketch_agg_double kll_sketch_agg_float kll_sketch_merge_bigint
    kll_sketch_merge_double kll_sketch_merge_float localtimestamp monotonically_increasing_id now
    python_worker_logs rand randn random randstr reflect session_user shuffle spark_partition_id
    sql_keywords table_changes table_changes_by_path try_reflect uniform user uuid version
    """
)
"""Functions that depend on chance, the clock, the user, the session, or the layout of files and partitions.
KLL sketches use random numbers when they are compacted."""

BARE = _names(
    """
    current_date current_time current_timestamp current_user session_user user
    """
)
"""Functions that Spark also accepts without parentheses, unless a column has the name."""

TIME_WINDOWS = _names(
    """
    session_window window window_time
    """
)
"""Functions that Spark plans together with the aggregation around them."""

SCALARS = _names(
    """
    abs acos acosh add_months aes_decrypt aes_encrypt aggregate and approx_top_k_estimate array
    array_append array_compact array_contains array_distinct array_except array_insert array_intersect
    array_join array_max array_min array_position array_prepend array_remove array_repeat array_size
    array_sort array_union arrays_overlap arrays_zip ascii asin asinh assert_true atan atan2 atanh
    base64 between bigint bin binary bit_count bit_get bit_length bitmap_bit_position
    bitmap_bucket_number bitmap_count boolean bround btrim cardinality cast cbrt ceil ceiling char
    char_length character_length charindex chr coalesce collate collation concat concat_ws contains
    conv convert_timezone cos cosh cot crc32 csc date date_add date_diff date_format date_from_unix_date date_part date_sub
    date_trunc dateadd datediff datepart day dayname dayofmonth dayofweek dayofyear decimal decode
    degrees div double e element_at elt encode endswith equal_null exists exp expm1 extract factorial
    filter find_in_set flatten float floor forall format_number format_string from_avro from_csv
    from_json from_protobuf from_unixtime from_utc_timestamp from_xml get get_json_object getbit
    greatest hash hex hll_sketch_estimate hll_union hour hypot if ifnull ilike in initcap instr int
    is_valid_utf8 is_variant_null isnan isnotnull isnull json_array_length json_object_keys
    kll_sketch_get_n_bigint kll_sketch_get_n_double kll_sketch_get_n_float
    kll_sketch_get_quantile_bigint kll_sketch_get_quantile_double kll_sketch_get_quantile_float
    kll_sketch_get_rank_bigint kll_sketch_get_rank_double kll_sketch_get_rank_float
    kll_sketch_to_string_bigint
    kll_sketch_to_string_double kll_sketch_to_string_float last_day lcase least left len length
    levenshtein like ln locate log log10 log1p log2 lower lpad ltrim luhn_check make_date
    make_dt_interval make_interval make_time make_timestamp make_timestamp_ltz make_timestamp_ntz
    make_valid_utf8 make_ym_interval map map_concat map_contains_key map_entries map_filter
    map_from_arrays map_from_entries map_keys map_values map_zip_with mask md5 minute mod month
    monthname months_between named_struct nanvl negative next_day not nullif nullifzero nvl nvl2
    octet_length or overlay parse_json parse_url pi pmod position positive pow power printf quarter
    quote radians raise_error reduce regexp regexp_count regexp_extract regexp_extract_all
    regexp_instr regexp_like regexp_replace regexp_substr repeat replace reverse right rint rlike
    round rpad rtrim schema_of_avro schema_of_csv schema_of_json schema_of_variant schema_of_xml sec
    second sentences sequence session_window sha sha1 sha2 shiftleft shiftright shiftrightunsigned
    sign signum sin sinh size slice smallint sort_array soundex space split split_part sqrt
    st_asbinary st_geogfromwkb st_geomfromwkb st_setsrid st_srid startswith str_to_map string struct
    substr substring substring_index tan tanh theta_difference theta_intersection
    theta_sketch_estimate theta_union time time_diff time_trunc timestamp timestamp_micros
    timestamp_millis timestamp_seconds timestampadd timestampdiff tinyint to_avro to_binary to_char
    to_csv to_date to_json to_number to_protobuf to_time to_timestamp to_timestamp_ltz
    to_timestamp_ntz to_unix_timestamp to_utc_timestamp to_varchar to_variant_object to_xml transform
    transform_keys transform_values translate trim trunc try_add try_aes_decrypt try_cast try_divide
    try_element_at try_make_interval try_make_timestamp try_make_timestamp_ltz try_make_timestamp_ntz
    try_mod try_multiply try_parse_json try_parse_url try_subtract try_to_binary try_to_date
    try_to_number try_to_time try_to_timestamp try_url_decode try_validate_utf8 try_variant_get typeof
    ucase unbase64 unhex unix_date unix_micros unix_millis unix_seconds unix_timestamp upper
    url_decode url_encode validate_utf8 variant_get weekday weekofyear when width_bucket
    window window_time xpath xpath_boolean xpath_double xpath_float xpath_int xpath_long xpath_number
    xpath_short xpath_string xxhash64 year zeroifnull zip_with
    """
)
"""Scalar functions: one value from one row."""

GIVE_TEXT = _names(
    """
    btrim char chr concat concat_ws date_format format_string get_json_object hex initcap lcase left lower
    lpad ltrim md5 regexp_extract regexp_replace regexp_substr repeat replace right rpad rtrim sha2
    split_part string substr substring substring_index translate trim ucase upper
    """
)
"""Functions that return text."""

TAKE_TEXT = GIVE_TEXT - {"char", "chr", "date_format", "string"} | _names(
    """
    array_contains array_position array_remove charindex contains element_at endswith hash ilike
    instr length like locate map_contains_key named_struct position regexp regexp_count
    regexp_instr regexp_like rlike split startswith struct try_element_at xxhash64
    """
)
"""Functions that read a constant text as text, not as a date."""

ELSEWHERE = {
    "array_length": "size",
    "date_parse": "to_timestamp",
    "datetime": "to_timestamp",
    "getdate": "current_timestamp",
    "group_concat": "listagg",
    "iff": "if",
    "isnumeric": "try_cast(... AS double) IS NOT NULL",
    "json_extract": "get_json_object",
    "json_extract_scalar": "get_json_object",
    "parse_date": "to_date",
    "parse_datetime": "to_timestamp",
    "parse_timestamp": "to_timestamp",
    "regexp_matches": "regexp_extract_all",
    "safe_cast": "try_cast",
    "safe_divide": "try_divide",
    "strftime": "date_format",
    "strpos": "instr",
    "timestamp_diff": "timestampdiff",
    "to_datetime": "to_timestamp",
    "try_convert": "try_cast",
    "unnest": "explode",
}
"""Functions of other systems, each with Spark's function or expression for it."""

KNOWN = AGGREGATES | WINDOWS | GENERATORS | NON_DETERMINISTIC | SCALARS
"""Every function of Spark. Any other function is a user's, about which nothing is known."""
