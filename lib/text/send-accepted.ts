import type { ServerError } from '../errors/server-error';
import type { EventStream } from '../http/types';
import { modelKey } from '../servers/model-key';
import type { Attempt } from '../servers/retry';
import {
	type FieldChanges,
	furtherChanges,
	noteOnLeftOut,
	sendWithoutRefused,
	withFieldChanges,
} from '../servers/refused-fields';
import type { JsonRecord } from '../values';

type Outcome = { reader: EventStream } | { failed: ServerError };

/** Without them, another text would be continued, or in another way. */
const NEEDED_FIELDS: ReadonlySet<string> = new Set(['model', 'prompt', 'stream', 'grammar']);

/**
 * Sends the body of a completion, and again without the fields that the server refuses. Nothing was generated before its
 * refusal.
 *
 * @returns the outcome, with notes on options of the user that were left out
 */
export async function sendAccepted(
	send: (body: JsonRecord) => Promise<Outcome>,
	body: JsonRecord,
	{ connection, model }: Attempt,
	extraBody: JsonRecord = {},
): Promise<Outcome & { notes: string[] }> {
	const isNeeded = (name: string) => NEEDED_FIELDS.has(name) || name in extraBody;
	const key = modelKey({ connection, model });
	const { outcome, changes } = await sendWithoutRefused(
		key,
		isNeeded,
		async (fieldChanges) => await send(withFieldChanges(body, fieldChanges)),
		(refusal, before) =>
			furtherChanges(refusal, before, isNeeded) ?? withoutStreamOptions(refusal, before),
	);
	return { ...outcome, notes: 'failed' in outcome ? [] : noteOnLeftOut(changes, body) };
}

/** For refusals of token counts in a stream in other words than those of a refused field. */
function withoutStreamOptions(refusal: string, changes: FieldChanges): FieldChanges | undefined {
	const isAboutOptions = /stream[_ ]options/i.test(refusal);
	if (!isAboutOptions || 'stream_options' in changes) return undefined;
	return { ...changes, stream_options: null };
}
