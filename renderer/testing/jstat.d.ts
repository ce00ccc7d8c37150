/** The part of jstat (which has no types of its own) that is used. */
declare module 'jstat' {
  const jstat: {
    chisquare: { cdf(x: number, degreesOfFreedom: number): number };
    /** The regularised incomplete beta function. */
    ibeta(x: number, a: number, b: number): number;
  };
  export default jstat;
}
