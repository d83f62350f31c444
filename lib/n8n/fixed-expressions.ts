/**
 * Expressions that were typed into a fixed field: `{{ $json.text }}` without n8n's mark of an expression is sent as it is
 * written, and the model answers to the braces.
 */
import type { INodeProperties } from 'n8n-workflow';
import type { ServerError } from '../errors/server-error';
import { asRecord } from '../values/records';
import { createFieldError } from '../fields/field-errors';
import { getOwn } from '../values/own-properties';
import type { WrittenFields } from './written-fields';
import { getInnerFields, isSameLabel } from './written-fields';

/** A variable of n8n's items in braces. Templates of other systems (`{{ name }}`, `{{ $value }}`) are text. */
const N8N_VARIABLE = /\{\{\s*\$(?:\(|(?:json|binary|input|node|items?)\b)/;

/** Labels of the fields with a variable of n8n in their fixed text; in a collection other than the options, behind its label. */
export function findFixedExpressions(fields: WrittenFields): string[] {
	return findPaths(fields).map(toLabel);
}

/** The hint about such a field. */
export function describeFixedExpression(label: string): string {
	return `The field "${label}" is fixed text with an expression in it, which counts as it is written. Switch the field to Expression if n8n should fill it in.`;
}

/**
 * Refuses such a text in a field that the operation needs: it would do the same for each item.
 *
 * @param mainFields names of optional fields that count as required ones
 * @throws a `ServerError` of type `invalidInput`
 */
export function assertNoFixedExpression(
	{ properties, stored }: WrittenFields,
	mainFields: readonly string[] = [],
): void {
	const isMain = ({ name, required = false }: INodeProperties) =>
		required || mainFields.includes(name);
	const [label] = findFixedExpressions({ properties: properties.filter(isMain), stored });
	if (label !== undefined)
		throw createFieldError({ label }, 'is fixed text with an expression in it').withFacts({
			isFixedExpression: true,
		});
}

/**
 * The error of a value that was not sent, with this cure if it is about such a field.
 *
 * @returns undefined for any other error
 */
export function explainFixedExpression(
	error: ServerError,
	fields: WrittenFields,
): ServerError | undefined {
	const { status, url, field } = error;
	if (status !== undefined || url !== undefined || field === undefined) return undefined;
	// An error may be about a collection, or about a value in it.
	const labels = findPaths(fields).flatMap((path) => [toLabel(path), ...path.slice(0, 1)]);
	const isMeant = labels.some((label) => isSameLabel(label, field));
	return isMeant ? error.withFacts({ isFixedExpression: true }) : undefined;
}

/** The labels of such fields, each behind those of the collections that contain it. */
function findPaths({ properties, stored }: WrittenFields): string[][] {
	const values = asRecord(stored);
	return properties.flatMap((property) => {
		const { name, displayName } = property;
		const value = getOwn(values, name);
		if (!hasFixedExpression(value)) return [];
		const collections = getInnerFields(property, value);
		if (collections.length === 0) return [[displayName]];
		const paths = collections.flatMap(findPaths);
		return name === 'options' ? paths : paths.map((path) => [displayName, ...path]);
	});
}

/** As the errors about the values of a collection name them. */
function toLabel(path: readonly string[]) {
	return path.join(': ');
}

function hasFixedExpression(value: unknown): boolean {
	if (typeof value === 'string') return !value.startsWith('=') && N8N_VARIABLE.test(value);
	if (typeof value !== 'object' || value === null) return false;
	return Object.values(value).some(hasFixedExpression);
}
