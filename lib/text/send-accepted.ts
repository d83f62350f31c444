import { serverPriority } from '../chat/request/server-priority';
import type { ServerError } from '../errors/server-error';
import type { EventStream } from '../http/types';
import type { KindName } from '../servers/kinds';
import { modelKey } from '../servers/model-key';
import type { Attempt } from '../servers/pool/server-pool';
import {
	type FieldChanges,
	furtherChanges,
	knownFieldChanges,
	noteOnLeftOut,
	rememberFieldChanges,
	withFieldChanges,
} from '../servers/refused-fields';
import { type JsonRecord, optional } from '../values';

type Outcome = { reader: EventStream } | { failed: ServerError };

/** Without them, another text would be continued, or in another way. */
const NEEDED_FIELDS: ReadonlySet<string> = new Set([
	'model',
	'prompt',
	'suffix',
	'stream',
	'grammar',
]);

/**
 * Sends the body of a completion with the class of the request, and again without the fields that the server refuses.
 * Nothing was generated before its refusal.
 *
 * @returns the outcome, with notes on options of the user that were left out
 */
export async function sendAccepted(
	send: (body: JsonRecord) => Promise<Outcome>,
	json: JsonRecord,
	{ connection, model }: Attempt,
	kind: KindName,
	extraBody: JsonRecord = {},
): Promise<Outcome & { notes: string[] }> {
	const body = { ...optional({ priority: serverPriority(connection, kind) }), ...json };
	const isNeeded = (name: string) => NEEDED_FIELDS.has(name) || name in extraBody;
	const key = modelKey({ connection, model });
	const known = knownFieldChanges(key, isNeeded);
	let changes = known;
	for (;;) {
		const outcome = await send(withFieldChanges(body, changes));
		if (!('failed' in outcome)) {
			if (changes !== known) rememberFieldChanges(key, changes);
			return { ...outcome, notes: noteOnLeftOut(changes, body) };
		}
		const refusal = outcome.failed.serverText ?? '';
		const further =
			furtherChanges(refusal, changes, isNeeded) ?? withoutStreamOptions(refusal, changes);
		if (further === undefined) return { ...outcome, notes: [] };
		changes = further;
	}
}

/** For refusals of token counts in a stream in other words than those of a refused field. */
function withoutStreamOptions(refusal: string, changes: FieldChanges): FieldChanges | undefined {
	const isAboutOptions = /stream[_ ]options/i.test(refusal);
	if (!isAboutOptions || 'stream_options' in changes) return undefined;
	return { ...changes, stream_options: null };
}
