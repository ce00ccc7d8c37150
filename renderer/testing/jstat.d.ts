/** The part of jstat (which has no types of its own) that tests use. */
declare module 'jstat' {
  const jstat: {
    chisquare: { cdf(x: number, degreesOfFreedom: number): number };
  };
  export default jstat;
}
