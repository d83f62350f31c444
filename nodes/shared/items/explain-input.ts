import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import type { MissingItemField, ValueSource } from '../../../lib/errors/facts';
import { ServerError } from '../../../lib/errors/server-error';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord, asString } from '../../../lib/values/records';
import { isExpression } from '../../../lib/n8n/list-entries';
import { explainFixedExpression } from '../../../lib/n8n/fixed-expressions';
import { isSameLabel } from '../../../lib/n8n/written-fields';
import { markModelValue } from '../../../lib/n8n/model-fields';
import { getStartingChatTrigger } from '../../../lib/n8n/chat-trigger';
import { getOwn } from '../../../lib/values/own-properties';

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
	const { inputProblem: problem = 'wrong' } = error;
	const isTolerant = context.continueOnFail();
	const explain = (from: ValueSource['from']): ExplainedInput => ({
		reason: error.withFacts({ valueSource: { from, problem, isTolerant } }),
		isOfNode: from === 'node',
	});
	if (!hasExpression(field.value)) return explain('node');
	// A value in it comes from an expression, and the error does not say which.
	if (!isExpression(field.value)) return explain('part');
	const json = asRecord(context.getInputData()[itemIndex]?.json);
	const missingName =
		problem === 'empty' ? findMissingName(field.value as string, json) : undefined;
	if (missingName === undefined) return explain('expression');
	const missingItemField: MissingItemField = {
		name: missingName,
		label: field.label,
		isOfError: Object.hasOwn(json, 'error'),
		source:
			missingName === 'chatInput'
				? { kind: 'chat', trigger: getStartingChatTrigger(context)?.name }
				: { kind: 'item' },
	};
	return { reason: error.withFacts({ missingItemField }), isOfNode: false };
}

/** The error of Dify with the label of the field that it names: the nodes name their fields as requests do. */
function labelParameter(error: ServerError, properties: readonly INodeProperties[]): ServerError {
	const { service, field, sentence, facts } = error;
	if (service !== 'dify' || field !== undefined || sentence === undefined) return error;
	const place = asString(facts.param) ?? '';
	const names = place.split('.').map((name) => name.replace(/_(\w)/g, toUpperCase));
	const property = properties.find(({ name }) => names.includes(name));
	if (property === undefined) return error;
	const { displayName: label } = property;
	const mark = `${place}: `;
	return error
		.copyWith({
			sentence: sentence.startsWith(mark) ? sentence.slice(mark.length) : sentence,
		})
		.withFacts({ namedParameter: label })
		.withField(label);
}

function toUpperCase(_match: string, letter: string) {
	return letter.toUpperCase();
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
