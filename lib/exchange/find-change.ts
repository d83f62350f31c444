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

/**
 * The first change for the rejection of a request. Other requests learn it only if the changed request succeeds, and a
 * field only after a status with which model servers reject fields.
 */
export function findChange({
	adaptations,
	rule,
	tried,
	...rejected
}: RejectedRequest): BodyChange | undefined {
	const { report } = rejected.error;
	if (!isOfModelServer(rejected.error)) return undefined;
	const rejection = toRejection(rejected);
	const change = adaptations
		.map((adaptation) => adaptation(rejection, rejected.body))
		.find((found) => found && !tried.some(({ name }) => name === found.name));
	const isOfHistory = rule === 'conversation' || rule === 'strictForm';
	const canTeach = isOfHistory || TEACHING_STATUSES.includes(report!.status);
	return canTeach && !report!.isQuoted ? change : change && { ...change, isTemporary: true };
}

/** Statuses with which a server rejects what a body contains. A 500 may also quote what the model wrote. */
const TEACHING_STATUSES: readonly number[] = [400, 422];

/** Whether the model server itself rejected the request, before it began to respond. */
function isOfModelServer({ report }: ServerError): boolean {
	return report !== undefined && report.status >= 400 && !report.isOfGateway;
}
