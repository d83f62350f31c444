/** Finds the change for a rejected request. */
import type { ServerError } from '../errors/server-error';
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import type { RejectedBody, Rejection } from './rejection';
import { toRejection } from './rejection';

/** The change for a rejection; undefined if the rejection requires another one, or the body has nothing to change. */
export type Adaptation = (rejection: Rejection, body: JsonRecord) => BodyChange | undefined;

/** Which rule an adaptation belongs to: what it changes, and whether the response must say so. */
export type AdaptationRule =
	/** A field is omitted or renamed. */
	| 'field'
	/** The format of the answer. */
	| 'format'
	/** The form of the history, or the stream, by a word. */
	| 'conversation'
	/** The form of the history, without any word. */
	| 'strictForm';

/** What is known about a rejected request. */
export interface RejectedRequest extends RejectedBody {
	/** Tried in this order. */
	adaptations: readonly Adaptation[];
	/** The rule that the adaptations belong to. */
	rule: AdaptationRule;
	/** Changes of the rejected request: each is tried once. */
	tried: readonly BodyChange[];
}

/** The first change for the rejection of a request. */
export function findChange({
	adaptations,
	rule,
	tried,
	...rejected
}: RejectedRequest): BodyChange | undefined {
	const { error, body } = rejected;
	if (!isOfModelServer(error)) return undefined;
	if (rule === 'field' && !isOfRequest(error)) return undefined;
	const rejection = toRejection(rejected);
	return adaptations
		.map((adaptation) => adaptation(rejection, body))
		.find((found) => found && !tried.some(({ name }) => name === found.name));
}

/** Whether the model server itself rejected the request, before it began to respond. */
function isOfModelServer({ report }: ServerError): boolean {
	return report !== undefined && report.status >= 400 && !report.isOfGateway;
}

/** Statuses with which a server rejects what a body contains. */
const FIELD_STATUSES: readonly number[] = [400, 404, 422];

/** Whether an error is about what was sent: others may quote what the model wrote. */
function isOfRequest({ type, report }: ServerError): boolean {
	return FIELD_STATUSES.includes(report!.status) && type !== 'outputParseFailed';
}
