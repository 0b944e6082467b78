import { TEMPLATE_FILTERS } from './template-filters.js';

/** Words that are no names. */
export const KEYWORDS = new Set(['and', 'or', 'not', 'in', 'is', 'if', 'else', 'true', 'false', 'none', 'True', 'False', 'None', 'recursive']);

/** Names of filters' arguments, in their order (Jinja2's documentation). */
export const FILTER_PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  default: ['default_value', 'boolean'],
  d: ['default_value', 'boolean'],
  indent: ['width', 'first', 'blank'],
  join: ['d'],
  replace: ['old', 'new'],
  trim: ['chars'],
};

/** Words between two conditions: what they make prints otherwise in Python. */
export const LOGIC = new Set(['and', 'or', 'not', 'in', 'is', 'if']);

/** Signs that compare: what they make prints otherwise in Python. */
export const COMPARISONS = new Set(['==', '!=', '<', '>', '<=', '>=']);

/** Filters of minijinja that print what Jinja2's print. */
const ENGINE_FILTERS = [
  'abs', 'attr', 'batch', 'bool', 'capitalize', 'count', 'd', 'default', 'dictsort', 'e', 'escape', 'filesizeformat', 'first', 'float', 'groupby', 'indent', 'int', 'items', 'join',
  'last', 'length', 'lines', 'list', 'lower', 'map', 'max', 'min', 'pluralize', 'reject', 'rejectattr', 'replace', 'reverse', 'round', 'safe', 'select', 'selectattr', 'slice', 'sort',
  'split', 'string', 'striptags', 'sum', 'title', 'trim', 'truncate', 'unique', 'upper', 'urlencode', 'wordcount', 'wordwrap', 'xmlattr',
];

/** Filters of Jinja2 that minijinja lacks, or that print something else there. */
export const REFUSED_FILTERS = new Set(['center', 'forceescape', 'format', 'pprint', 'random', 'tojson', 'urlize', 'urlencode', 'wordcount', 'wordwrap', 'xmlattr']);

/** Every filter that a template may use: minijinja's and docker-pkg's. */
export const KNOWN_FILTERS = new Set([...ENGINE_FILTERS.filter((name) => !REFUSED_FILTERS.has(name)), ...Object.keys(TEMPLATE_FILTERS)]);

/** Filters whose answer is text whatever they are given. */
export const TEXT_FILTERS = new Set([...Object.keys(TEMPLATE_FILTERS), 'capitalize', 'e', 'escape', 'indent', 'join', 'lower', 'replace', 'string', 'title', 'trim', 'truncate', 'upper']);

/** Methods and functions whose answer is no text: it prints otherwise in Python. */
export const NO_TEXT_CALLS = new Set(['split', 'rsplit', 'splitlines', 'items', 'keys', 'values', 'get', 'range', 'dict', 'namespace', 'cycle', 'changed', 'startswith', 'endswith', 'isalnum', 'isalpha', 'isascii', 'isdecimal', 'isdigit', 'islower', 'isnumeric', 'isspace', 'istitle', 'isupper']);
