/** The adaptation that omits or renames a rejected field. */
import type { BodyChange } from '../servers/lessons';
import type { JsonRecord } from '../values/records';
import type { NamedField, RequestField, RequestFields } from './request-fields';
import { findField, getSentNames } from './request-fields';
import type { Rejection } from './rejection';
import { omitFields, withoutFields } from './body-changes';
import type { JointAdaptation } from './find-changes';
import { getOwn } from '../values/own-properties';

/**
 * Fields that take the place of each other. OpenAI's API replaced `max_tokens` for its reasoning models, and older servers
 * support only that one.
 */
const OTHER_NAMES: Readonly<Record<string, string>> = {
	max_tokens: 'max_completion_tokens',
	max_completion_tokens: 'max_tokens',
};

/** Without these, the request is another one, whatever its rows say. */
const NEEDED_FIELDS: ReadonlySet<string> = new Set([
	'model',
	'messages',
	'input',
	'query',
	'documents',
	'tools',
	'stream',
]);

/**
 * Omits the field that a rejection names, if its row allows that, with those that are rejected beside it; or renames it if the
 * message names its other name: "Unsupported parameter: 'max_tokens' … Use 'max_completion_tokens' instead." Fields of Extra Body
 * are sent unchanged.
 */
export function omitRejectedField(fields: RequestFields): JointAdaptation {
	return (rejection, body) => {
		const toChange = (name: string) => findOmission({ fields, rejection, body }, name);
		for (const name of rejection.getNames()) {
			const change = toChange(name);
			if (change === undefined) continue;
			const others = rejection.getNamesBeside(name).flatMap((other) => toChange(other) ?? []);
			return [...new Map([change, ...others].map((each) => [each.name, each])).values()];
		}
		return [];
	};
}

/** Statuses with which a server rejects a value. */
const VALUE_STATUSES: readonly number[] = [400, 422];

/**
 * Omits an optional field that was sent and that a rejection in unknown words does not name: only a request without it shows
 * whether it is the reason. For a request of which the server has accepted none with the field.
 */
export function omitUnnamedField({ field, label }: RequestField): JointAdaptation {
	return (rejection, body) => {
		const isNamed = rejection.getSentNames().length > 0 || rejection.isOfContext;
		const isSent = getOwn(body, field) !== undefined;
		if (isNamed || !isSent || !VALUE_STATUSES.includes(rejection.status)) return [];
		const warning = `This server accepts the request only without the option ${label ?? field}, so it was omitted.`;
		return [{ ...omitFields([field]), warning }];
	};
}

/** What was rejected. */
interface RejectedFields {
	fields: RequestFields;
	rejection: Rejection;
	body: JsonRecord;
}

/** @returns undefined if the field is not rejected, or may not be omitted */
function findOmission(
	{ fields, rejection, body }: RejectedFields,
	rejectedName: string,
): BodyChange | undefined {
	const field = findField(fields, [rejectedName]);
	const names = field ? getOmittableNames(fields, field, body) : [];
	const name = names.find((candidate) => candidate === rejectedName) ?? names[0];
	if (!field || name === undefined) return undefined;
	if (!isRefused(rejection, field, rejectedName)) return undefined;
	const newName = getOwn(OTHER_NAMES, name);
	if (newName !== undefined && rejection.names(newName))
		return {
			name: `${name} as ${newName}`,
			apply: (requestBody) => rename(requestBody, { from: name, to: newName }),
		};
	return { ...omitFields(names), ...getOmissionWarning(field, getOwn(body, name)) };
}

/** The names of a field in the body that may be omitted. */
function getOmittableNames(
	{ extraBody = {} }: RequestFields,
	field: NamedField,
	body: JsonRecord,
): string[] {
	if (field.row?.canOmit !== true) return [];
	return getSentNames(field, body).filter((name) => {
		const isNeeded =
			NEEDED_FIELDS.has(name) || (name === 'tool_choice' && getOwn(body, name) !== 'auto');
		return !isNeeded && !Object.hasOwn(extraBody, name);
	});
}

/** Whether the server does not want the field; for one that users do not know, its name alone says so. */
function isRefused(rejection: Rejection, { row }: NamedField, name: string): boolean {
	return row?.isTechnical === true || rejection.refuses(name);
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
