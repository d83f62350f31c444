import type { Notation } from './values';

/** How one call is written. Blanks may stand between all its parts. */
export type Shape =
	/** JSON objects with a name and arguments, or lists of them. */
	| { kind: 'json'; open?: readonly string[]; close?: readonly string[]; nameIsKey?: true; separated?: true }
	/** A name, and then the arguments as an object. `idEnd`: an ID comes first, and ends there. `between`: may be there. */
	| {
			kind: 'named';
			open?: readonly string[];
			idEnd?: string;
			between?: readonly string[];
			close?: readonly string[];
			notation?: Notation;
	  }
	/** A name, and then each argument between tags. The tags of names and keys end with what `end` says. */
	| {
			kind: 'tagged';
			open: string;
			key: string;
			value?: readonly [keyEnd: string, begin: string];
			valueEnd: string;
			close: string;
			end: readonly string[];
	  }
	/** Calls of Python, in a list or one after the other. */
	| { kind: 'python'; isList: boolean };

/** One way in which the models of a family write calls. */
export interface Form {
	shape: Shape;
	/** Markers that may stand around the calls. */
	around?: { open: readonly string[]; close: readonly string[] };
	/** What a call may begin with, where that is not every opening marker. */
	begins?: readonly string[];
	/** Its markers are tokens of their own, which nobody types: they may follow text in the same line. */
	special?: true;
	/** No marker is left, because the server takes them out: then it must be the whole answer. */
	bare?: true;
	/** It is only told: what is left of it cannot be read for certain, or stands as an example would. */
	told?: 'incomplete' | 'quoted';
}

type TaggedShape = Extract<Shape, { kind: 'tagged' }>;

export const json = (open: string, ...close: string[]): Form => ({
	shape: { kind: 'json', open: [open], ...(close.length === 0 ? {} : { close }) },
});
/** A name behind one of `open`, and then arguments up to one of `close`. */
export const named = (open: readonly string[], between: readonly string[] = [], ...close: string[]): Form => ({
	shape: { kind: 'named', open, between, ...(close.length === 0 ? {} : { close }) },
});
export const tagged = (shape: Omit<TaggedShape, 'kind'>): Form => ({ shape: { kind: 'tagged', ...shape } });
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

/** Elements with the attribute `name`, as MiniMax, DeepSeek's DSML and others have them. */
export const invoke = (prefix: string, call = 'invoke', parameter = 'parameter'): Form =>
	tagged({
		open: `<${prefix}${call} name="`,
		key: `<${prefix}${parameter} name="`,
		valueEnd: `</${prefix}${parameter}>`,
		close: `</${prefix}${call}>`,
		end: ['>'],
	});

/** Tokens with which the families end a turn. */
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
