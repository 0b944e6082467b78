declare const PROGRAM_VERSION: string | undefined;
declare const PROGRAM_BUILD: string | undefined;

/** The version of package.json, put in when the program is bundled. */
export const programVersion = typeof PROGRAM_VERSION === 'string' ? PROGRAM_VERSION : 'from source';

/** Tells one state of the source from another: what was cached by an older one is not believed. */
export const programBuild = typeof PROGRAM_BUILD === 'string' ? PROGRAM_BUILD : 'from source';
