import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import { ServerError } from '../../../lib/errors/server-error';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord } from '../../../lib/values/records';
import { isExpression } from '../list-entries';

/** The label in an error about a value. */
const FIELD_ERROR = /^The (?:field ")?(.{1,100}?)"? (?:is empty|must be )/;

/** The item whose value caused an error. */
interface FailedInput {
	context: Pick<IExecuteFunctions, 'getNode' | 'getInputData' | 'continueOnFail'>;
	/** Fields of the operation. */
	properties: readonly INodeProperties[];
	itemIndex: number;
}

/**
 * The error about a value that an expression returned: nothing in the node is wrong, so it names the item, and what the
 * item lacks.
 *
 * @returns other errors unchanged.
 */
export function explainInput(
	error: unknown,
	{ context, properties, itemIndex }: FailedInput,
): unknown {
	const { type, parameters } = context.getNode();
	// A model fills in the fields of a tool.
	if (!(error instanceof ServerError) || isToolType(type)) return error;
	const [, label = ''] = FIELD_ERROR.exec(error.message) ?? [];
	const expression = findExpression(properties, asRecord(parameters), label);
	if (expression === undefined) return error;
	const items = context.getInputData();
	// From 1, as the texts of an item, and only if there are others.
	const position = items.length > 1 ? ` (item ${itemIndex + 1} of ${items.length})` : '';
	// A field with its own advice keeps it.
	const suggest = (suggestion: string) =>
		/^(?:Enter a |Correct the field)/.test(error.suggestion) ? suggestion : error.suggestion;
	const missingName = findMissingName(expression, asRecord(items[itemIndex]?.json));
	if (missingName !== undefined)
		return error.copyWith({
			title: `This item has no ${/\W/.test(missingName) ? `"${missingName}"` : missingName}${position}`,
			suggestion: suggest(
				`${missingName === 'chatInput' ? 'It comes from a Chat Trigger. ' : ''}Pass on a field with this name, or change the expression in "${label}".`,
			),
		});
	return error.copyWith({
		title: error.message + position,
		suggestion: suggest(
			error.message.endsWith('is empty')
				? `Fill in the value, ${context.continueOnFail() ? 'or ' : ''}remove such items before this node (Filter)${context.continueOnFail() ? '' : ', or set On Error to Continue'}.`
				: 'Correct the value in the item, or the expression.',
		),
	});
}

/** The expression in the field with this label, also of a collection. */
function findExpression(
	properties: readonly INodeProperties[],
	values: JsonRecord,
	label: string,
): string | undefined {
	for (const { displayName, name, type, options, default: defaultValue } of properties) {
		const value = values[name] ?? defaultValue;
		const expression =
			type === 'collection'
				? findExpression(options as INodeProperties[], asRecord(value), label)
				: value;
		const isField = type === 'collection' || displayName.toLowerCase() === label.toLowerCase();
		if (isField && isExpression(expression)) return expression as string;
	}
	return undefined;
}

/** The first field that an expression reads from the item, and that the item does not have. */
function findMissingName(expression: string, json: JsonRecord) {
	const names = [...expression.matchAll(/\$json(?:\.(\w+)|\[["']([^"']{1,100})["']\])/g)];
	return names
		.map(([, name, quotedName = '']) => name ?? quotedName)
		.find((name) => !Object.hasOwn(json, name));
}
