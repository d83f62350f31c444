/**
 * Expressions inside a text that name a field which no input item has: n8n leaves their place empty without an error, and the
 * model answers to the rest.
 */
import type { INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { asRecord, isRecord, isUnset } from '../values/records';
import { getOwn } from '../values/own-properties';

/** Braces with nothing but the path of a field. What calculates, or has a default, may be empty on purpose. */
const FIELD_PATH = /\{\{\s*\$json((?:\.[\w$]+|\["[^"]*"\]|\['[^']*'\])+)\s*\}\}/g;

/** A name in such a path. */
const NAME = /\.([\w$]+)|\["([^"]*)"\]|\['([^']*)'\]/g;

/** A place that stays empty. */
export interface EmptyExpression {
	/** Label of the field of the node. */
	label: string;
	/** As it was typed, with its braces. */
	expression: string;
}

/** What expressions are looked for in. */
interface Templates {
	/** Fields of the operation. */
	properties: readonly INodeProperties[];
	/** The parameters as stored in the workflow. */
	stored: unknown;
	/** The input; without items, nothing is known. */
	items: readonly INodeExecutionData[];
}

/** The expressions in texts that are empty for every input item. */
export function findEmptyExpressions({ properties, stored, items }: Templates): EmptyExpression[] {
	if (items.length === 0) return [];
	const values = asRecord(stored);
	return properties.flatMap(({ name, type, displayName: label }) => {
		const template = type === 'string' ? getOwn(values, name) : undefined;
		return listFieldPaths(template)
			.filter(({ path }) => items.every(({ json }) => isUnset(getAtPath(json, path))))
			.map(({ expression }) => ({ label, expression }));
	});
}

/** The hint about such an expression. */
export function describeEmptyExpression({ label, expression }: EmptyExpression): string {
	return `The field "${label}" contains ${expression}, which is empty in every input item. Check the name in the expression.`;
}

/** An expression and the names of its path, from the outside in. */
interface FieldPath {
	expression: string;
	path: string[];
}

/** A field that is one expression and nothing else is an optional value, or an error if it is empty. */
function listFieldPaths(template: unknown): FieldPath[] {
	if (typeof template !== 'string' || !template.startsWith('=')) return [];
	const text = template.slice(1).trim();
	return Array.from(text.matchAll(FIELD_PATH), ([expression, names = '']) => ({
		expression,
		path: Array.from(
			names.matchAll(NAME),
			([, plain, double, single]) => plain ?? double ?? single!,
		),
	})).filter(({ expression }) => expression !== text);
}

/** The value at a path. A property of another value, such as the length of a list, counts as that value. */
function getAtPath(json: unknown, path: readonly string[]): unknown {
	return path.reduce<unknown>(
		(value, name) => (isRecord(value) ? getOwn(value, name) : value),
		json,
	);
}
