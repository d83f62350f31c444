import type { NumberRange } from '../../ranges';

interface Common {
	/** As it stands in the editor. */
	label: string;
	description: string;
	/** Name of the field in the request. Kinds of servers that call it something else say so (`fieldNames`). */
	wire: string;
	/** Not in OpenAI's API: sent to the kinds of servers that honour it (`extraFields`). */
	extra?: true;
	/** Sent only to the kinds of servers that name it (`ownFields`), not to those of which nothing is known. */
	own?: true;
}

interface NumberSampler extends Common {
	type: 'number';
	/** Without: any number. */
	range?: NumberRange;
	/** A whole number. Expressions easily give a fraction, which llama-server cuts off and Ollama and vLLM refuse. */
	whole?: true;
	/** What the editor fills in when the option is added. */
	preset: number;
	/** Choices in place of an input. */
	choices?: ReadonlyArray<{ name: string; value: number }>;
}

interface TextsSampler extends Common {
	type: 'texts';
	addButton: string;
	placeholder?: string;
}

/** How long: seconds, or a text such as `30m`. */
interface DurationSampler extends Common {
	type: 'duration';
	preset: string;
	placeholder: string;
}

/** Everything about one option that goes to the server as it is. */
export type Sampler =
	| NumberSampler
	| TextsSampler
	| DurationSampler
	| (Common & { type: 'switch' | 'object' | 'adapters' });

/** A LoRA adapter that the server was started with, and how strongly it counts. */
export interface LoraAdapter {
	id: number;
	/** 0 = not at all, 1 = as it was trained. */
	scale: number;
}
