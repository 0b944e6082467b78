import { PYTHON_FILTERS } from './python-filters.js';
import { TEMPLATE_FILTERS } from './template-filters.js';

/** Words that are no names. */
export const KEYWORDS = new Set(['and', 'or', 'not', 'in', 'is', 'if', 'else', 'true', 'false', 'none', 'True', 'False', 'None', 'recursive']);

/** Names of the arguments of minijinja's filters that it knows by place alone, in their order (Jinja2's documentation). */
export const FILTER_PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  default: ['default_value', 'boolean'],
  d: ['default_value', 'boolean'],
};

/** Words between two conditions: what they make prints otherwise in Python. */
export const LOGIC = new Set(['and', 'or', 'not', 'in', 'is', 'if']);

/** Signs that compare: what they make prints otherwise in Python. */
export const COMPARISONS = new Set(['==', '!=', '<', '>', '<=', '>=']);

/** Operators that round, or reckon, otherwise than in Python. */
export const REFUSED_OPERATORS = new Set(['//', '%', '**']);

/** Filters of minijinja that give what Jinja2's give: over lists and mappings. */
export const SEQUENCE_FILTERS: ReadonlySet<string> = new Set([
  'batch', 'count', 'dictsort', 'first', 'groupby', 'items', 'last', 'length', 'list', 'map', 'max', 'min', 'reject', 'rejectattr', 'reverse', 'select', 'selectattr', 'slice', 'sort', 'sum',
]);

/** Those that in Python give no list. */
export const GENERATOR_FILTERS: ReadonlySet<string> = new Set(['batch', 'items', 'map', 'reject', 'rejectattr', 'reverse', 'select', 'selectattr', 'slice', 'unique']);

/** Filters of Jinja2 that are not there, or that print something else in minijinja. */
export const REFUSED_FILTERS: ReadonlySet<string> = new Set([
  'attr', 'center', 'e', 'escape', 'filesizeformat', 'forceescape', 'format', 'pprint', 'random', 'round', 'safe', 'striptags', 'tojson', 'urlize', 'urlencode', 'wordcount', 'wordwrap', 'xmlattr',
]);

/** Every filter that a template may use. */
export const KNOWN_FILTERS: ReadonlySet<string> = new Set(['abs', 'd', 'default', 'float', ...SEQUENCE_FILTERS, ...Object.keys(PYTHON_FILTERS), ...Object.keys(TEMPLATE_FILTERS)]);

/** Filters whose answer is text whatever they are given. */
export const TEXT_FILTERS: ReadonlySet<string> = new Set([...Object.keys(TEMPLATE_FILTERS), ...Object.keys(PYTHON_FILTERS).filter((name) => name !== 'int' && name !== 'unique')]);

/** Tests that Jinja2 and minijinja both have. */
export const KNOWN_TESTS: ReadonlySet<string> = new Set([
  'boolean', 'defined', 'divisibleby', 'eq', 'equalto', 'even', 'false', 'float', 'ge', 'gt', 'in', 'integer', 'iterable', 'le', 'lower', 'lt', 'mapping', 'ne', 'none', 'None', 'number', 'odd', 'sameas', 'sequence', 'string', 'true', 'undefined', 'upper',
]);

/** Methods of texts and mappings that give what Python's give. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'count', 'endswith', 'find', 'get', 'isalnum', 'isalpha', 'isascii', 'isdecimal', 'isdigit', 'islower', 'isnumeric', 'isspace', 'istitle', 'isupper', 'items', 'join', 'keys', 'lower', 'lstrip', 'replace', 'rstrip', 'split', 'splitlines', 'startswith', 'strip', 'upper', 'values',
]);

/** Methods and functions whose answer is no text: it prints otherwise in Python. */
export const NO_TEXT_CALLS = new Set(['split', 'rsplit', 'splitlines', 'items', 'keys', 'values', 'get', 'range', 'dict', 'namespace', 'cycle', 'changed', 'startswith', 'endswith', 'isalnum', 'isalpha', 'isascii', 'isdecimal', 'isdigit', 'islower', 'isnumeric', 'isspace', 'istitle', 'isupper']);
