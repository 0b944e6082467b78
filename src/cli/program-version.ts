declare const PROGRAM_VERSION: string | undefined;

/** The version of package.json, put in when the program is bundled. */
export const programVersion = typeof PROGRAM_VERSION === 'string' ? PROGRAM_VERSION : 'from source';
