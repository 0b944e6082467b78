/** One name out of Depends or Build-Depends. */
export type Dependency = {
  readonly name: string;
  readonly field: 'Depends' | 'Build-Depends';
  /** Line in the control file, from 1. */
  readonly line: number;
};

/** What a definition's control file says. */
export type Control = {
  /** The file as a person would type it. */
  readonly path: string;
  /** `Package:` of the first paragraph that has one. */
  readonly package: string | undefined;
  readonly dependencies: readonly Dependency[];
  /** `Rolling: yes`. */
  readonly rolling: boolean;
  readonly maintainer: string | undefined;
  readonly description: string | undefined;
};
