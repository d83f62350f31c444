import type { Notation } from './values';

/** How one call is written. White space is allowed between all parts. */
export type Shape =
	/** JSON objects with a name and arguments, or lists of them. */
	| {
			kind: 'json';
			open?: readonly string[];
			close?: readonly string[];
			nameIsKey?: true;
			separated?: true;
	  }
	/**
	 * A name, then the arguments as an object. `idEnd`: end of an ID in front of the name. `between`: optional markers
	 * after the name.
	 */
	| {
			kind: 'named';
			open?: readonly string[];
			idEnd?: string;
			between?: readonly string[];
			close?: readonly string[];
			notation?: Notation;
	  }
	/** A name, then each argument between tags. `end`: how the tags of names and keys end. */
	| {
			kind: 'tagged';
			open: string;
			key: string;
			value?: readonly [keyEnd: string, begin: string];
			valueEnd: string;
			close: string;
			end: readonly string[];
	  }
	/** Python calls, in a list or one after the other. */
	| { kind: 'python'; isList: boolean };

/** One way in which a family writes calls. */
export interface Form {
	shape: Shape;
	/** Optional markers around the calls. */
	around?: { open: readonly string[]; close: readonly string[] };
	/** Markers with which a call may begin; default: every opening marker. */
	begins?: readonly string[];
	/** Its markers are special tokens that nobody types, so they may follow text in the same line. */
	special?: true;
	/** Without markers, because the server removes them: must be the whole answer. */
	bare?: true;
	/** Never run, only reported with this reason: it is ambiguous, or looks like an example. */
	reportedAs?: 'incomplete' | 'quoted';
}

type TaggedShape = Extract<Shape, { kind: 'tagged' }>;

export const json = (open: string, ...close: string[]): Form => ({
	shape: { kind: 'json', open: [open], ...(close.length === 0 ? {} : { close }) },
});
/** A name after one of `open`, then the arguments up to one of `close`. */
export const named = (
	open: readonly string[],
	between: readonly string[] = [],
	...close: string[]
): Form => ({
	shape: { kind: 'named', open, between, ...(close.length === 0 ? {} : { close }) },
});
export const tagged = (shape: Omit<TaggedShape, 'kind'>): Form => ({
	shape: { kind: 'tagged', ...shape },
});
export const python: Form = { shape: { kind: 'python', isList: true } };
export const pythonLines: Form = { shape: { kind: 'python', isList: false } };

export const special = (form: Form): Form => ({ ...form, special: true });
export const bare = (form: Form): Form => ({ ...form, bare: true });
export const inside = (open: string, close: string, form: Form) => ({
	...form,
	around: { open: [open], close: [close] },
});
export const inTag = (name: string, form: Form) => inside(`<${name}>`, `</${name}>`, form);

export const bareJson = bare({ shape: { kind: 'json', separated: true } });
export const bareName = bare({ shape: { kind: 'named' } });

export const functionTag = tagged({
	open: '<function=',
	key: '<parameter=',
	valueEnd: '</parameter>',
	close: '</function>',
	end: ['>'],
});

/** Elements with the attribute `name`, as in MiniMax, DeepSeek's DSML and others. */
export const invoke = (prefix: string, call = 'invoke', parameter = 'parameter'): Form =>
	tagged({
		open: `<${prefix}${call} name="`,
		key: `<${prefix}${parameter} name="`,
		valueEnd: `</${prefix}${parameter}>`,
		close: `</${prefix}${call}>`,
		end: ['>'],
	});

/** End-of-turn tokens of the families. */
export const END_TOKENS: readonly string[] = [
	'<|im_end|>',
	'<|eot_id|>',
	'<|eom_id|>',
	'</s>',
	'<|observation|>',
	'<|call|>',
	'<|return|>',
	'<|end|>',
	'<|endoftext|>',
	'<seed:eos>',
	'<｜end▁of▁sentence｜>',
	'<end_of_turn>',
	'<start_function_response>',
	'<turn|>',
	'<|END_OF_TURN_TOKEN|>',
];
