/** Finds the changes for a rejected request. */
import type { ServerError } from '../errors/server-error';
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import type { RejectedBody, Rejection } from './rejection';
import { toRejection } from './rejection';

/** The change for a rejection; undefined if the rejection requires another one, or the body has nothing to change. */
export type Adaptation = (rejection: Rejection, body: JsonRecord) => BodyChange | undefined;

/** All changes that a rejection requires at the same time; none if it requires others. */
export type JointAdaptation = (rejection: Rejection, body: JsonRecord) => readonly BodyChange[];

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
	adaptations: ReadonlyArray<Adaptation | JointAdaptation>;
	/** The rule that the adaptations belong to. */
	rule: AdaptationRule;
	/** Changes of the rejected request: each is tried once. */
	tried: readonly BodyChange[];
}

/** The changes of the first adaptation that has some for the rejection of a request; none if no adaptation has. */
export function findChanges({
	adaptations,
	rule,
	tried,
	...rejected
}: RejectedRequest): readonly BodyChange[] {
	const { error, body } = rejected;
	if (!isOfModelServer(error)) return [];
	if (rule === 'field' && !isOfRequest(error)) return [];
	const rejection = toRejection(rejected);
	const isUntried = ({ name }: BodyChange) => !tried.some((change) => change.name === name);
	return (
		adaptations
			.map((adaptation) => [adaptation(rejection, body) ?? []].flat().filter(isUntried))
			.find((changes) => changes.length > 0) ?? []
	);
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
