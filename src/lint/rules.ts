/** How much a finding matters: an error makes the run exit 3, a warning does so under `--strict`, a note never. */
export type Level = 'error' | 'warning' | 'note';

/** What lint says of one rule in lists: `--sarif`, docs/lint.md. */
export type Rule = {
  readonly level: Level;
  /** The level where the config makes the same thing a fault of building. */
  readonly raised?: Level;
  /** What is found, as a half sentence. */
  readonly finds: string;
  /** What building itself says cannot be switched off. */
  readonly always?: true;
};

/** Every rule there is, in the order of docs/lint.md. */
export const RULES = {
  definition: { level: 'error', finds: 'what building refuses or warns of', always: true },
  'unknown-rule': { level: 'warning', finds: 'a rule that is switched off, and that lint does not know', always: true },
  'undeclared-parent': { level: 'warning', finds: 'an image of the tree that is used, and that control does not name' },
  'stale-parent': { level: 'warning', finds: 'an image of the tree that control names, and that is not used' },
  'unknown-parent': { level: 'warning', finds: 'a name in control that no tree and no base_images entry knows' },
  'literal-from': { level: 'warning', finds: 'an image of the tree that is named by hand and not by image_tag' },
  'old-tag': { level: 'warning', finds: 'an image of the tree under a version that is not its newest' },
  'unknown-tag': { level: 'error', finds: 'an image of the tree under a tag that its changelog does not know' },
  'source-not-allowed': { level: 'warning', raised: 'error', finds: 'an image from elsewhere than allowed' },
  'unpinned-source': { level: 'note', finds: 'an outside image without a digest that may be another one any day: no tag, :latest, or a # syntax line' },
  'non-numeric-user': { level: 'note', raised: 'error', finds: 'a last USER that is no number' },
  'changed-without-changelog': { level: 'warning', finds: 'files of a versioned image that changed since its changelog did, as git knows it' },
  'version-order': { level: 'note', finds: 'a newest version that does not sort above the one before' },
  'secret-in-file': { level: 'error', finds: 'a private key, an access key, or a password in a file of the definition' },
  'secret-in-variable': { level: 'warning', finds: 'an ENV or ARG that gives a password, a token or a key its value' },
  'dockerfile-mistake': { level: 'warning', finds: 'an instruction that builders refuse, or read otherwise than meant' },
  'dockerfile-habit': { level: 'note', finds: 'what builders warn of: deprecated, doubled or oddly written instructions' },
  'test-not-executable': { level: 'warning', finds: 'a test.sh that nobody may execute: the test fails' },
  'apt-remove-proxy': { level: 'note', finds: 'apt_remove behind a proxy, whose text has a line break in the wrong place' },
} as const satisfies Record<string, Rule>;

/** The name of one of them. */
export type RuleName = keyof typeof RULES;

/** The names of all. */
export const RULE_NAMES = Object.keys(RULES) as readonly RuleName[];

/** What is said of a rule. */
export function ruleOf(name: RuleName): Rule {
  return RULES[name];
}

/** Whether a word names a rule. */
export function isRule(word: string): word is RuleName {
  return Object.hasOwn(RULES, word);
}
