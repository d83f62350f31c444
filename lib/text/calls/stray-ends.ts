/** Removes marks that end a call from the end of a text that has none: models write them after an answer. */
import { withoutEndMarks } from '../end-marks';
import { toAlternatives } from '../mark-patterns';
import { CALL_MARKS, getBlockEnd } from './marks';

const CLOSING_MARKS = new Set(
	CALL_MARKS.flatMap(({ open }) => open.map((mark) => getBlockEnd(mark).close ?? [])).flat(),
);

const STRAY_END = new RegExp(`(?:${toAlternatives([...CLOSING_MARKS])})\\s*$`);

/**
 * A text without marks at its end that end a call (MiniMax M3: opencode issue 30684; Kimi K2: sgl-project/sglang,
 * `kimik2_detector.py`).
 *
 * @param text without calls
 */
export function withoutStrayEnds(text: string): string {
	return withoutEndMarks(text, STRAY_END);
}
