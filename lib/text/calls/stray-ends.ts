/** Removes marks that end a call from the end of a text that has none: models write them after an answer. */
import { withoutEndMarks } from '../end-marks';
import { LAST_END_OF_CALL } from './call-marks';

/**
 * A text without marks at its end that end a call (MiniMax M3: opencode issue 30684; Kimi K2: sgl-project/sglang,
 * `kimik2_detector.py`).
 *
 * @param text without calls
 */
export function withoutStrayEnds(text: string): string {
	return withoutEndMarks(text, LAST_END_OF_CALL);
}
