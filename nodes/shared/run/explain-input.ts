import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import { ServerError } from '../../../lib/errors/server-error';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord } from '../../../lib/values/records';
import { isExpression } from '../list-entries';
import { getStartingChatTrigger } from './chat-trigger';

/** The label in an error about a value. */
const FIELD_ERROR = /^The (?:field ")?(.{1,100}?)"? (?:is empty|must be )/;

/** The item whose value caused an error. */
interface FailedInput {
	context: Pick<
		IExecuteFunctions,
		'getNode' | 'getInputData' | 'continueOnFail' | 'getChatTrigger' | 'evaluateExpression'
	>;
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
	const [, words = ''] = FIELD_ERROR.exec(error.message) ?? [];
	const field = findExpression(properties, asRecord(parameters), words);
	if (field === undefined) return error;
	const items = context.getInputData();
	// From 1, as the texts of an item, and only if there are others.
	const position = items.length > 1 ? ` (item ${itemIndex + 1} of ${items.length})` : '';
	// A field with its own advice keeps it.
	const suggest = (suggestion: string) =>
		/^(?:Enter a |Correct the field)/.test(error.suggestion) ? suggestion : error.suggestion;
	const missingName = findMissingName(field.expression, asRecord(items[itemIndex]?.json));
	if (missingName !== undefined)
		return error.copyWith({
			title: `This item has no ${/\W/.test(missingName) ? `"${missingName}"` : missingName}${position}`,
			suggestion: suggest(
				`${advise(missingName, context)}, or change the expression in "${field.label}".`,
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

/** How the item gets the field; for the field of a chat, only what is not done yet. */
function advise(missingName: string, context: FailedInput['context']): string {
	if (missingName !== 'chatInput') return 'Pass on a field with this name';
	const trigger = getStartingChatTrigger(context);
	return trigger === undefined
		? 'It comes from a Chat Trigger: start the workflow with one'
		: `Pass on this field of "${trigger.name}"`;
}

/** A field with an expression. */
interface ExpressionField {
	/** As the editor shows it. */
	label: string;
	expression: string;
}

/**
 * The expression in a field, also of a collection.
 *
 * @param label - in upper or lower case, since a title may use it as a word of its sentence
 */
function findExpression(
	properties: readonly INodeProperties[],
	values: JsonRecord,
	label: string,
): ExpressionField | undefined {
	for (const { displayName, name, type, options, default: defaultValue } of properties) {
		const value = values[name] ?? defaultValue;
		if (type === 'collection') {
			const field = findExpression(options as INodeProperties[], asRecord(value), label);
			if (field !== undefined) return field;
		} else if (displayName.toLowerCase() === label.toLowerCase() && isExpression(value)) {
			return { label: displayName, expression: value as string };
		}
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
