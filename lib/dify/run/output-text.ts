/** The text in the outputs of a run. */
import { asRecord, asNonEmptyString } from '../../values/records';

/** What decides which output is the text. */
export interface OutputContext {
	/** Set for a run that belongs to a conversation. */
	conversationId?: string;
	/** Whether text events may be missing. */
	mayLackText: boolean;
}

/**
 * The text in the outputs of a run: the response of a chatflow, which alone belongs to a conversation, or the only text
 * of a workflow. With several outputs, a broken stream is rebuilt as Dify streams texts and numbers: line by line.
 *
 * @param outputs as received
 * @returns undefined if the outputs do not say which text is that of the run
 */
export function getOutputText(
	{ conversationId, mayLackText }: OutputContext,
	outputs: unknown,
): string | undefined {
	if (conversationId !== undefined) return asNonEmptyString(asRecord(outputs).answer);
	return findSingleText(outputs) ?? (mayLackText ? joinOutputs(outputs) : undefined);
}

/** The only text of a workflow's outputs; their names are arbitrary. */
function findSingleText(outputs: unknown): string | undefined {
	const texts = Object.values(asRecord(outputs)).filter(
		(value): value is string => typeof value === 'string',
	);
	return texts.length === 1 ? texts[0] : undefined;
}

/** The outputs of a workflow as Dify streams them; undefined unless all are texts, integers or null. */
function joinOutputs(outputs: unknown): string | undefined {
	const values = Object.values(asRecord(outputs));
	const isPlain = (value: unknown) =>
		typeof value === 'string' || Number.isSafeInteger(value) || value === null;
	return values.every(isPlain) ? values.map((value) => String(value ?? '')).join('\n') : undefined;
}
