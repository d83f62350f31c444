/** How servers reject a field that they do not support. */

/** `top_k`, or several: `a, b`, `'a', 'b'`, `['a', 'b']`, `{'a': 1}`. A list in a form ends with brackets. */
const FIELD_NAMES = String.raw`[\[{(]?\s*(['"\x60][\w.]+(?:\[\])?['"\x60](?:\s*[,:]\s*(?:['"\x60][\w.]+(?:\[\])?['"\x60]|[\d.]+))*|\w+(?:\[\])?(?:\s*,\s*\w+)*)`;

/** How FastAPI and pydantic with forbidden extras, OpenAI's API, LiteLLM, vLLM, and Python functions reject fields. */
export const REJECTED_FIELD_PATTERNS: readonly RegExp[] = [
	// FastAPI joins location and message; pydantic's own text has a line for each
	/(?:\bbody(?:\.| -> )|^)([\w.]{1,100}(?:\[\])?)(?::|\r?\n) {0,8}extra (?:inputs are|fields) not permitted/gim,
	// vLLM and LiteLLM: the list of issues in Python's notation
	/['"]loc['"]: ?[([]['"]body['"], ?['"](\w+(?:\[\])?)['"][)\]], ?['"]msg['"]: ?['"]extra (?:inputs are|fields) not permitted/gi,
	new RegExp(
		String.raw`\bun(?:supported|known|recogni[sz]ed|expected) (?:request )?(?:parameter|argument|field|property|key)(?:s|\(s\))?(?: supplied| in the request)?:? ${FIELD_NAMES}`,
		'gi',
	),
	new RegExp(String.raw`\bunexpected keyword arguments? ${FIELD_NAMES}`, 'gi'),
	new RegExp(
		String.raw`\bdoes not support (?:the )?(?:following )?parameters?:? ${FIELD_NAMES}`,
		'gi',
	),
	/\b(?:parameter|argument|field|property) ['"\x60]([\w.]+(?:\[\])?)['"\x60] is (?:not supported|unsupported|not permitted|not allowed)/gi,
	// LiteLLM (seen: 1.108.7): vectors, images and chats of some providers
	new RegExp(
		String.raw`\bsetting (?:the )?${FIELD_NAMES}\s{0,2}[\]})]? (?:is|are) not supported`,
		'gi',
	),
	/\bparameter (\w+(?:\[\])?) is not supported for model\b/gi,
];

/** In a list such as `'a', 'b'`. In a Python dict, only the keys are names. */
const LISTED_NAME = /(?:^|,)\s*['"\x60]?([\w.]+(?:\[\])?)/g;

/** The names in a match of a pattern above; of a path, its last part. */
export function splitNames([, list = '']: RegExpExecArray): string[] {
	return Array.from(list.matchAll(LISTED_NAME), ([, name]) => name!.split('.').at(-1)!);
}
