/** Helpers to recognize a server by its answers. */
import { isRecord, type JsonRecord, nonEmptyText } from '../../values';
import { modelEntries } from '../models';
import type { ServerAnswer, ServerAnswers, IdentifyingRoute } from './answers';

/** The JSON object of an answer with a status below 300; otherwise an empty object. */
export function bodyOf(answer: ServerAnswer | undefined): JsonRecord {
	return answer !== undefined && answer.status < 300 && isRecord(answer.json) ? answer.json : {};
}

/** Whether the JSON object of an answer, with any status, passes the test. */
export function says(
	answer: ServerAnswer | undefined,
	fits: (body: JsonRecord) => boolean,
): boolean {
	return isRecord(answer?.json) && fits(answer.json);
}

/** Whether any answer has a header whose value matches. */
export function anyHeader(answers: ServerAnswers, name: string, fits: RegExp): boolean {
	return Object.values(answers).some(({ headers }) => fits.test(headers[name] ?? ''));
}

/** Whether any answer has a header with such a name. */
export function anyHeaderNamed(answers: ServerAnswers, name: RegExp): boolean {
	return Object.values(answers).some(({ headers }) =>
		Object.keys(headers).some((header) => name.test(header)),
	);
}

/** Entries of a list of models that are looked at: each kind of server does so, and gateways list thousands. */
const MOST_ENTRIES = 5_000;

/** Whether any entry of the list of models passes the test. */
export function anyModel(answers: ServerAnswers, fits: (entry: JsonRecord) => boolean): boolean {
	return (entriesOf(answers) ?? []).slice(0, MOST_ENTRIES).some(fits);
}

/** Whether any entry has this owner. For gateways, whose lists also have other owners. */
export function ownsAnyModel(answers: ServerAnswers, owner: string): boolean {
	return anyModel(answers, ({ owned_by: by }) => by === owner);
}

/**
 * Whether the list of models is that of one server: the owner of every entry is the same. The list of a gateway has the
 * owners of the servers behind it, or its models have the owner in front of their names (`openai/gpt-4o`).
 */
export function ownsModels(answers: ServerAnswers, owner: string): boolean {
	const entries = (entriesOf(answers) ?? []).slice(0, MOST_ENTRIES);
	return (
		entries.length > 0 &&
		entries.every(({ id, owned_by: by }) => by === owner && !isNamedByOwner(id, owner))
	);
}

function isNamedByOwner(id: unknown, owner: string): boolean {
	return typeof id === 'string' && id.startsWith(`${owner}/`);
}

/** The entries of the list of models; undefined without a list. */
export function entriesOf({ models }: ServerAnswers): JsonRecord[] | undefined {
	return models !== undefined && models.status < 300 ? modelEntries(models.json) : undefined;
}

/** A non-empty text field of an answer with a status below 300. */
export function textIn(
	answers: ServerAnswers,
	route: IdentifyingRoute,
	field: string,
): string | undefined {
	return nonEmptyText(bodyOf(answers[route])[field]);
}

/** Whether a server has no list of models: some describe themselves and their one model at `/info` instead. */
export function mayDescribeItself(models: ServerAnswer | undefined): boolean {
	return models?.status === 404 && models.text.trim() === '';
}

/** Whether a server without OpenAI's list may have Ollama's: it has another route of Ollama. */
export function mayListAtTags({ models, apiVersion }: ServerAnswers): boolean {
	return models?.status === 404 && isRecord(models.json) && apiVersion?.status === 200;
}
