/** Does something that must end within so many seconds; `tooLong` makes what is thrown when it does not. */
export async function within<T>(seconds: number, signal: AbortSignal, tooLong: () => Error, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = AbortSignal.timeout(seconds * 1000);
  try {
    return await act(AbortSignal.any([signal, limit]));
  } catch (error) {
    throw limit.aborted && !signal.aborted ? tooLong() : error;
  }
}
