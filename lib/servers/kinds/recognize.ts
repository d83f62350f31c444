/** Helpers to recognize a server by its answers. */
import { modelEntries } from '../models';
import { isRecord, type JsonRecord } from '../../values';
import type { Answers, Reply } from './kind';

/** Entries of a list that are looked at: gateways list thousands. */
const MOST_ENTRIES = 5_000;

/** The entries of the list of models; none without a list. */
export function entriesOf({ models }: Answers): JsonRecord[] {
	const isList = models !== undefined && models.status < 300;
	return (isList ? (modelEntries(models.json) ?? []) : []).slice(0, MOST_ENTRIES);
}

/**
 * Whether the list is that of one server: the owner of every entry is the same. A gateway lists other owners, or puts
 * the owner in front of the names (`openai/gpt-4o`).
 */
export function ownsModels(answers: Answers, owner: string): boolean {
	const entries = entriesOf(answers);
	const isOwned = ({ id, owned_by: by }: JsonRecord) =>
		by === owner && !(typeof id === 'string' && id.startsWith(`${owner}/`));
	return entries.length > 0 && entries.every(isOwned);
}

/** Whether the JSON object of an answer, with any status, passes the test. */
export function says(reply: Reply | undefined, fits: (body: JsonRecord) => boolean): boolean {
	return isRecord(reply?.json) && fits(reply.json);
}

/** Whether any answer has a header whose name and value match. */
export function hasHeader(answers: Answers, name: RegExp, value = /(?:)/): boolean {
	const replies = [answers.models, answers.version].filter((reply) => reply !== undefined);
	return replies.some(({ headers }) =>
		Object.entries(headers).some(([header, text]) => name.test(header) && value.test(text)),
	);
}
