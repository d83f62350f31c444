/** The adaptation that omits or renames a rejected field. */
import { REJECTED_FIELD_PATTERNS, splitNames } from '../errors/rejected-fields';
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import type { NamedField, RequestFields } from './request-fields';
import { findField, getSentNames } from './request-fields';
import type { Rejection } from './rejection';
import { omitFields, withoutFields } from './body-changes';
import type { Adaptation } from './find-change';
import { getOwn } from '../values/own-properties';

/**
 * Fields that take the place of each other. OpenAI's API replaced `max_tokens` for its reasoning models, and older servers
 * support only that one.
 */
const OTHER_NAMES: Readonly<Record<string, string>> = {
	max_tokens: 'max_completion_tokens',
	max_completion_tokens: 'max_tokens',
};

/**
 * Omits the field that a rejection names, if its row allows that, or renames it if the message mentions its other name:
 * "Unsupported parameter: 'max_tokens' … Use 'max_completion_tokens' instead." Fields of Extra Body are sent unchanged.
 */
export function omitRejectedField(fields: RequestFields): Adaptation {
	return (rejection, body) => {
		for (const rejectedName of findRejectedFields(rejection)) {
			const field = findField(fields, [rejectedName]);
			const sentNames = field?.row?.canOmit === true ? getSentNames(field, body) : [];
			const names = sentNames.filter(
				(sentName) => !Object.hasOwn(fields.extraBody ?? {}, sentName),
			);
			const name = names.find((candidate) => candidate === rejectedName) ?? names[0];
			if (!field || name === undefined) continue;
			const newName = getOwn(OTHER_NAMES, name);
			if (newName !== undefined && rejection.mentions(newName))
				return {
					name: `${name} as ${newName}`,
					apply: (requestBody) => rename(requestBody, { from: name, to: newName }),
				};
			return { ...omitFields(names), ...getOmissionWarning(field, getOwn(body, name)) };
		}
		return undefined;
	};
}

/** None for a field that no user notices, or whose value is what the server does without it. */
function getOmissionWarning(
	{ name, row }: NamedField,
	value: unknown,
): Pick<BodyChange, 'warning'> {
	if (row === undefined || row.isTechnical === true || row.default === value) return {};
	const subject = row.label === undefined ? `field ${name}` : `option ${row.label}`;
	return { warning: `This server rejects the ${subject}, so it was omitted.` };
}

function rename(body: JsonRecord, { from, to }: { from: string; to: string }): JsonRecord {
	return Object.hasOwn(body, from)
		? { [to]: getOwn(body, from), ...withoutFields(body, [from]) }
		: body;
}

/** Codes of OpenAI's API, and of servers that follow it, for a field and not for its value. */
const REJECTED_PARAM_CODE =
	/^(?:unknown|unsupported|unrecogni[sz]ed|unexpected)_(?:parameter|argument|field|param)$/;

const UNSUPPORTED_NAME =
	/\b(\w+(?:\[\])?)['"\x60]? is (?:not supported|unsupported|not permitted|not allowed)\b/gi;

function findRejectedFields(rejection: Rejection): string[] {
	const { param, code = '' } = rejection;
	const named = REJECTED_FIELD_PATTERNS.flatMap((pattern) => rejection.matches(pattern)).flatMap(
		splitNames,
	);
	if (param === undefined) return named;
	const isParamRejected =
		REJECTED_PARAM_CODE.test(code) ||
		rejection.matches(UNSUPPORTED_NAME).some(([, name]) => name === param);
	return isParamRejected ? [...named, param.split('.').at(-1)!] : named;
}
