/** The mark: a frame with a light in it. */
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <path
        d="M3 8V4.5A1.5 1.5 0 0 1 4.5 3H8M16 3h3.500A1.5 1.5 0 0 1 21 4.500V8M21 16v3.500a1.500 1.500 0 0 1-1.500 1.500H16M8 21H4.500A1.500 1.500 0 0 1 3 19.500V16"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
      />
      <circle cx="12" cy="12" r="3.600" className="mark-light" />
    </svg>
  );
}
