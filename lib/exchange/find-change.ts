/** Finds the change for a rejected request. */
import type { ServerError } from '../errors/server-error';
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import type { Rejection } from './rejection';
import { TEACHING_STATUSES, toRejection, toOwnRejection } from './rejection';

/** The change for a rejection; undefined if the rejection requires another one, or the body has nothing to change. */
export type Adaptation = (rejection: Rejection, body: JsonRecord) => BodyChange | undefined;

/** Which rule an adaptation belongs to: what it changes. */
export type AdaptationRule = 'field' | 'format' | 'conversation';

/** What is known about a rejected request. */
export interface RejectedRequest {
	error: ServerError;
	/** The body that was sent. */
	body: JsonRecord;
	/** Tried in this order. */
	adaptations: readonly Adaptation[];
	/** The rule that the adaptations belong to. */
	rule: AdaptationRule;
}

/**
 * The first change for the rejection of a request. It is temporary, so that other requests learn nothing from it, unless
 * the server itself says in its own words what it rejects, for a field with 400 or 422.
 */
export function findChange({
	error,
	body,
	adaptations,
	rule,
}: RejectedRequest): BodyChange | undefined {
	const { rejection, serverText = '' } = error;
	if (rejection === undefined) return undefined;
	// Also with 400: Groq, LiteLLM and vLLM report so what a model wrote, which may say anything of any field.
	const isAboutOutput = UNREADABLE_OUTPUT.test(serverText);
	if (isAboutOutput && rule !== 'format') return undefined;
	const adapt = (wording: Rejection) =>
		adaptations
			.map((adaptation) => adaptation(wording, body))
			.find((change) => change !== undefined);
	const change = adapt(toRejection(error, body));
	const canTeach = rule === 'conversation' || TEACHING_STATUSES.includes(rejection.status);
	const isTaught =
		canTeach &&
		!isAboutOutput &&
		!rejection.isQuoted &&
		adapt(toOwnRejection(error, body))?.name === change?.name;
	return isTaught ? change : change && { ...change, isTemporary: true };
}

/** In the words of servers about output that they could not read, which they then quote. Not about the request or a schema. */
const UNREADABLE_OUTPUT = new RegExp(
	[
		String.raw`\b(?:fail(?:ed|s|ure)?|unable|error|could not|couldn't|cannot|can't|did not)\b[^.:;\n]{0,20}\b(?:generat|pars|decod|produc|validat|read|extract|interpret)\w*\b(?:(?!request|body|schema|grammar)[^.:;\n]){0,60}\b(?:json|outputs?|response|completion|(?:tool|function)[ _-]?calls?|arguments)\b`,
		String.raw`\b(?:invalid|malformed|unreadable|broken)\b(?:(?!request|body|schema|grammar|parameter|field)[^.:;\n]){0,30}\b(?:json|outputs?|(?:tool|function)[ _-]?calls?)\b(?! schema)`,
		String.raw`\b(?:failed_generation|tool_use_failed|json_validate_failed)\b`,
		String.raw`\b(?:model|assistant|llm)\b[^.:;\n]{0,20}\b(?:wrote|output|generated|produced|returned|said|answered)\b`,
	].join('|'),
	'i',
);
