/**
 * Expressions that were typed into a fixed field: `{{ $json.text }}` without n8n's mark of an expression is sent as it is
 * written, and the model answers to the braces.
 */
import type { INodeProperties } from 'n8n-workflow';
import type { ServerError } from '../../../lib/errors/server-error';
import { asRecord } from '../../../lib/values/records';
import { createFieldError } from '../parameters';
import { getOwn } from '../../../lib/values/own-properties';

/** A variable of n8n's items in braces. Templates of other systems (`{{ name }}`, `{{ $value }}`) are text. */
const N8N_VARIABLE = /\{\{\s*\$(?:\(|(?:json|binary|input|node|items?)\b)/;

/** The cure for such a field. */
const SWITCH_TO_EXPRESSION =
	'Switch the field to Expression (the toggle above it), so that n8n fills in the value.';

/** What a fixed field says that only an expression should say. */
interface FixedExpressions {
	/** Fields of the operation. */
	properties: readonly INodeProperties[];
	/** The parameters as stored in the workflow. */
	stored: unknown;
}

/** Labels of the fields with a variable of n8n in their fixed text. */
export function findFixedExpressions({ properties, stored }: FixedExpressions): string[] {
	const values = asRecord(stored);
	return properties
		.filter(({ name }) => Object.hasOwn(values, name))
		.flatMap((property) => findLabels(property, getOwn(values, property.name)));
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
	{ properties, stored }: FixedExpressions,
	mainFields: readonly string[] = [],
): void {
	const isMain = ({ name, required = false }: INodeProperties) =>
		required || mainFields.includes(name);
	const [label] = findFixedExpressions({ properties: properties.filter(isMain), stored });
	if (label !== undefined)
		throw createFieldError(label, 'is fixed text with an expression in it', SWITCH_TO_EXPRESSION);
}

/**
 * The error of a value that was not sent, with this cure if it is about such a field.
 *
 * @returns undefined for any other error
 */
export function explainFixedExpression(
	error: ServerError,
	fields: FixedExpressions,
): ServerError | undefined {
	const { status, url, field } = error;
	if (status !== undefined || url !== undefined || field === undefined) return undefined;
	const isMeant = findFixedExpressions(fields).some((label) => isSameLabel(label, field));
	return isMeant ? error.withSuggestion(SWITCH_TO_EXPRESSION) : undefined;
}

/** Whether both are the label of one field: an error may use it as a word of a sentence, and adds "ID" to the label of a list. */
export function isSameLabel(left: string, right: string): boolean {
	return withoutId(left) === withoutId(right);
}

function withoutId(label: string): string {
	return label.toLowerCase().replace(/ id$/, '');
}

function findLabels({ displayName, name, options }: INodeProperties, value: unknown): string[] {
	if (name !== 'options') return hasFixedExpression(value) ? [displayName] : [];
	const values = asRecord(value);
	return ((options ?? []) as INodeProperties[])
		.filter((option) => hasFixedExpression(getOwn(values, option.name)))
		.map((option) => option.displayName);
}

function hasFixedExpression(value: unknown): boolean {
	if (typeof value === 'string') return !value.startsWith('=') && N8N_VARIABLE.test(value);
	if (typeof value !== 'object' || value === null) return false;
	return Object.values(value).some(hasFixedExpression);
}
