import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import { ServerError } from '../../../lib/errors/server-error';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord, asString } from '../../../lib/values/records';
import { isExpression } from '../../../lib/n8n/list-entries';
import { explainFixedExpression } from '../../../lib/n8n/fixed-expressions';
import { isSameLabel } from '../../../lib/n8n/written-fields';
import { markModelValue } from '../../../lib/n8n/model-fields';
import { getStartingChatTrigger } from '../../../lib/n8n/chat-trigger';
import { getOwn } from '../../../lib/values/own-properties';

/** For an item with which an earlier node has continued after its error. */
const OF_AN_ERROR =
	'The item is the error of an earlier node: remove such items before this node (Filter), or set On Error of that node to "Continue (using error output)".';

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

/** An error with what its value says about the cause. */
export interface ExplainedInput {
	reason: unknown;
	/** Whether the value is written in the node, so that every item fails alike. */
	isOfNode: boolean;
}

/**
 * The error about a value that an expression returned: nothing in the node is wrong, so it names what the item lacks.
 *
 * @returns other errors unchanged.
 */
export function explainInput(
	error: unknown,
	{ context, properties, itemIndex }: FailedInput,
): ExplainedInput {
	if (!(error instanceof ServerError)) return { reason: error, isOfNode: false };
	return explainError(labelParameter(error, properties), { context, properties, itemIndex });
}

function explainError(
	error: ServerError,
	{ context, properties, itemIndex }: FailedInput,
): ExplainedInput {
	const unchanged = { reason: error, isOfNode: false };
	const { type, parameters } = context.getNode();
	if (isToolType(type))
		return { reason: markModelValue(error, { properties, stored: parameters }), isOfNode: false };
	const fixed = explainFixedExpression(error, { properties, stored: parameters });
	if (fixed !== undefined) return { reason: fixed, isOfNode: true };
	// What a server says of an option is about its value there.
	if (error.field === undefined || error.status !== undefined) return unchanged;
	const field = findField(properties, asRecord(parameters), error.field);
	if (field === undefined) return unchanged;
	if (!hasExpression(field.value)) {
		const { type: errorType, inputProblem } = error;
		// Other types have their own advice.
		const isPlain = errorType === 'invalidInput' && hasPlainAdvice(error);
		const reason =
			isPlain && inputProblem === 'empty' ? error.withSuggestion('Enter a value.') : error;
		return { reason, isOfNode: true };
	}
	if (!isExpression(field.value)) {
		// A value in it comes from an expression, and the error does not say which.
		const isPlain = error.type === 'invalidInput' && hasPlainAdvice(error);
		const reason = isPlain ? error.withSuggestion(adviseOnValue(error, context)) : error;
		return { reason, isOfNode: false };
	}
	// A field with its own advice keeps it.
	const suggest = (suggestion: string) => (hasPlainAdvice(error) ? suggestion : error.suggestion);
	const json = asRecord(context.getInputData()[itemIndex]?.json);
	const missingName =
		error.inputProblem === 'empty' ? findMissingName(field.value as string, json) : undefined;
	const reason =
		missingName === undefined
			? error.withSuggestion(suggest(adviseOnValue(error, context)))
			: error.copyWith({
					title: `This item has no ${/\W/.test(missingName) ? `"${missingName}"` : missingName}`,
					suggestion: Object.hasOwn(json, 'error')
						? OF_AN_ERROR
						: suggest(
								`${adviseOnField(missingName, context)}, or change the expression in "${field.label}".`,
							),
				});
	return { reason, isOfNode: false };
}

/** Whether nothing but its type says what to do. */
function hasPlainAdvice({ ownWords }: ServerError): boolean {
	return ownWords?.suggestion === undefined;
}

/** The error of Dify with the label of the field that it names: the nodes name their fields as requests do. */
function labelParameter(error: ServerError, properties: readonly INodeProperties[]): ServerError {
	const { service, field, sentence, message, facts } = error;
	if (service !== 'dify' || field !== undefined || sentence === undefined) return error;
	const place = asString(facts.param) ?? '';
	const names = place.split('.').map((name) => name.replace(/_(\w)/g, toUpperCase));
	const property = properties.find(({ name }) => names.includes(name));
	if (property === undefined) return error;
	const { displayName: label } = property;
	const mark = `${place}: `;
	const labelled = error.copyWith({
		title: message.startsWith(mark) ? message.slice(mark.length) : message,
		detail: error.detail,
		isServerText: true,
		suggestion: hasPlainAdvice(error) ? `Change "${label}".` : error.suggestion,
	});
	return labelled.withField(label);
}

function toUpperCase(_match: string, letter: string) {
	return letter.toUpperCase();
}

/** What to do about a value of an item. */
function adviseOnValue({ inputProblem }: ServerError, context: FailedInput['context']): string {
	if (inputProblem !== 'empty') return 'Correct the value in the item, or the expression.';
	return context.continueOnFail()
		? 'Fill in the value, or remove such items before this node (Filter).'
		: 'Fill in the value, remove such items before this node (Filter), or set Settings → On Error to Continue.';
}

/** How the item gets the field; for the field of a chat, only what is not done yet. */
function adviseOnField(missingName: string, context: FailedInput['context']): string {
	if (missingName !== 'chatInput') return 'Pass on a field with this name';
	const trigger = getStartingChatTrigger(context);
	return trigger === undefined
		? 'It comes from a Chat Trigger: start the workflow with one'
		: `Pass on this field of "${trigger.name}"`;
}

/** A field of the node. */
interface NodeField {
	/** As the editor shows it. */
	label: string;
	/** As the workflow stores it, or the default. */
	value: unknown;
}

/**
 * The field that an error is about, also of a collection.
 *
 * @param label - As the error names it
 */
function findField(
	properties: readonly INodeProperties[],
	values: JsonRecord,
	label: string,
): NodeField | undefined {
	const fields: NodeField[] = properties.flatMap(
		({ displayName, name, type, options, default: defaultValue }) => {
			const value = asPlain(getOwn(values, name) ?? defaultValue);
			if (type !== 'collection')
				return isSameLabel(displayName, label) ? { label: displayName, value } : [];
			return findField(options as INodeProperties[], asRecord(value), label) ?? [];
		},
	);
	// Variants of a field, of which the operation shows one, have the same label.
	return fields.find(({ value }) => isExpression(value)) ?? fields[0];
}

/** Whether a value, or one in it, is an expression. */
function hasExpression(value: unknown): boolean {
	return typeof value === 'object' && value !== null
		? Object.values(value).some(hasExpression)
		: isExpression(value);
}

/** The value of a resource locator, and any other value unchanged. */
function asPlain(value: unknown): unknown {
	const { __rl: isLocator, value: inner } = asRecord(value);
	return isLocator === true ? inner : value;
}

/** The first field that an expression reads from the item, and that the item does not have. */
function findMissingName(expression: string, json: JsonRecord) {
	const names = [...expression.matchAll(/\$json(?:\.(\w+)|\[["']([^"']{1,100})["']\])/g)];
	return names
		.map(([, name, quotedName = '']) => name ?? quotedName)
		.find((name) => !Object.hasOwn(json, name));
}
