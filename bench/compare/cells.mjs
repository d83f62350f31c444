/** Texts of the table's cells, from the outcome of a run. */

/** @typedef {import('./types').Cell} Cell */
/** @typedef {import('./types').Outcome} Outcome */
/** @typedef {import('./types').Tap} Tap */

const MOST_CHARACTERS = 260;

/** @param {string} text */
export const quote = (text) => {
	const line = text.replace(/\s+/g, ' ').trim();
	return `“${line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line}”`;
};

/** @param {number} ms */
export const duration = (ms) =>
	ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;

/** @param {number} count @param {string} what */
export const counted = (count, what) => `${count} ${what}${count === 1 ? '' : 's'}`;

/**
 * The whole error as n8n's interface shows it.
 *
 * @param {Outcome} outcome
 */
export const errorText = ({ error }) =>
	[error?.message, error?.description].filter(Boolean).join(' — ');

/**
 * The answer as the user reads it: the text streamed into the chat, else the node's output.
 *
 * @param {Outcome} outcome
 */
export const answerOf = ({ shown, output }) => shown || output;

/**
 * @param {Outcome} outcome
 * @param {Tap} tap
 */
export const cost = ({ ms }, { requests }) =>
	`${counted(requests.length, 'request')}, ${duration(ms)}`;

/**
 * @param {Outcome} outcome
 * @returns {string[]}
 */
export const result = (outcome) => {
	const { shown, error, status } = outcome;
	if (error)
		return [
			...(shown ? [`typed ${quote(shown)}, then`] : []),
			`error ${quote(errorText(outcome))}`,
		];
	if (status !== 'success') return [`execution ended as “${status}”`];
	const answer = answerOf(outcome);
	return [answer.trim() === '' ? 'empty answer, no error' : `answer ${quote(answer)}`];
};

/**
 * @param {Outcome} outcome
 * @returns {string[]}
 */
export const toolRuns = ({ tools }) =>
	tools.length === 0
		? ['no tool was run']
		: tools.map(
				({ input, output }) => `ran the tool with ${quote(input)}, which gave ${quote(output)}`,
			);
