/** The raw values of the fields of one item, as n8n evaluates them. */
import type {
	IDataObject,
	IGetNodeParameterOptions,
	INodeExecutionData,
	IPollFunctions,
	NodeConnectionType,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import type { Field } from '../../../lib/fields/field';
import { memoize } from '../../../lib/lru-cache';
import { getOwn } from '../../../lib/values/own-properties';
import { asRecord } from '../../../lib/values/records';

/** Source of values: the context of a node that processes items, or of a sub-node. */
export interface FieldContext {
	getNodeParameter(
		name: string,
		itemIndex: number,
		...fallback: [value: unknown, options?: IGetNodeParameterOptions]
	): unknown;
	getNode?(): { parameters?: unknown };
	getInputData?(inputIndex?: number, connectionType?: NodeConnectionType): INodeExecutionData[];
	getWorkflow?(): { id?: string };
}

/** Reads each field of an item once: n8n evaluates an expression, resolves and copies each time that it is asked. */
export class ItemSource {
	private readonly known = new Map<string, unknown>();
	private readonly written: WrittenParameters;

	constructor(
		private readonly context: FieldContext,
		readonly itemIndex: number,
	) {
		this.written = getWrittenParameters(context);
	}

	/** The fields of a poll, which has no items. */
	static ofPoll(context: IPollFunctions): ItemSource {
		return new ItemSource(
			{
				getNodeParameter: (name, _itemIndex, ...fallback) =>
					context.getNodeParameter(name, ...fallback),
				getNode: () => context.getNode(),
			},
			0,
		);
	}

	/** The value as it is; of a list or ID, the ID. */
	read(name: string, field: Field): unknown {
		const { written, known } = this;
		if (written.constants.has(name)) return written.constants.get(name);
		if (known.has(name)) return known.get(name);
		const value = this.evaluate(name, field);
		const memory = written.isConstant(name) ? written.constants : known;
		memory.set(name, value);
		return value;
	}

	/** Whether the workflow has an expression in the field, even if that returned nothing. */
	isExpression(name: string): boolean {
		return hasExpression(this.getWritten(name));
	}

	/** What the workflow has in the field, with its expressions; undefined if nothing. */
	getWritten(name: string): unknown {
		return getOwn(this.written.stored, name);
	}

	/** Fields of the input item; for a sub-node, of the item that its root node processes. */
	item(): IDataObject {
		// The default for a sub-node is its own connection type.
		const items = this.context.getInputData?.(0, NodeConnectionTypes.Main);
		return items?.[this.itemIndex]?.json ?? {};
	}

	/** ID of the workflow. n8n's Agents have none. */
	workflowId(): string | undefined {
		return this.context.getWorkflow?.().id;
	}

	private evaluate(name: string, field: Field) {
		const isLocator = field.kind === 'locator';
		// n8n uses the fallback for hidden fields, and fails without one.
		const fallback = isLocator ? '' : getFallback(field);
		return this.context.getNodeParameter(name, this.itemIndex, fallback, {
			extractValue: isLocator,
		});
	}
}

/** What a hidden field is to n8n: its default, unless that is an expression. */
export function getFallback(field: Field): unknown {
	if (field.kind === 'options' || field.kind === 'rows') return {};
	const defaultValue = 'default' in field ? field.default : undefined;
	return hasExpression(defaultValue) ? '' : (defaultValue ?? EMPTY_DEFAULTS[field.kind] ?? '');
}

/** Defaults that definitions leave out, other than an empty text. */
const EMPTY_DEFAULTS: Partial<Record<Field['kind'], unknown>> = {
	choices: [],
	loadedChoices: [],
	texts: [],
	form: { mappingMode: 'defineBelow', value: null },
};

/** What the workflow stores, and what follows from it for all items of an execution. */
interface WrittenParameters {
	/** The parameters with their expressions. */
	stored: Record<string, unknown>;
	/**
	 * Values without an expression, by name. n8n resolves, checks and copies each parameter for every item, which takes longer
	 * than a small request if a node has many operations.
	 */
	constants: Map<string, unknown>;
	isConstant(name: string): boolean;
}

const getWrittenParameters = memoize((context: FieldContext): WrittenParameters => {
	const stored = asRecord(context.getNode?.().parameters);
	const constantNames = new Set(
		Object.keys(stored).filter((name) => !hasExpression(getOwn(stored, name))),
	);
	return { stored, constants: new Map(), isConstant: (name) => constantNames.has(name) };
});

/** n8n evaluates every text that begins with `=` as an expression, also in objects and lists. */
export function hasExpression(value: unknown): boolean {
	if (typeof value === 'string') return value.startsWith('=');
	return typeof value === 'object' && value !== null && Object.values(value).some(hasExpression);
}
