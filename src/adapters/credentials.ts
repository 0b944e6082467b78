/** A login at one registry. Never printed. */
export type Credentials = {
  readonly username: string;
  readonly password: string;
  /** A refresh token that stands in for the password; from `docker login` at some registries. */
  readonly identityToken?: string;
};
