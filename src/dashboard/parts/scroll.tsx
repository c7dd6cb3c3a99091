import type { ComponentChildren, JSX } from 'preact';

export interface ScrollProps {
  /** What is in it, for who hears the page. */
  readonly label: string;
  readonly children: ComponentChildren;
}

/** What may be wider than the screen moves in a frame of its own, by keyboard as well. */
export function Scroll({ label, children }: ScrollProps): JSX.Element {
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}
