import { recordOf } from '../../values';
import type { ToolDefinition } from '../types';

/** The name of an offered tool behind what families of models write around it: `functions.NAME:0`. */
export function offeredName(written: string, names: readonly string[]): string | undefined {
	const inner = written.replace(/^functions\./, '').replace(/:\d+$/, '');
	return [written, inner].find((name) => names.includes(name));
}

/**
 * The tool that a server's call means: servers leave tokens of the model in names (`NAME<|channel|>commentary`,
 * vllm-project/vllm issue 32587), and models write them in another case. Undefined where none, or several, may be meant.
 */
export function meantTool(written: string, tools: readonly ToolDefinition[]): ToolDefinition | undefined {
	const names = tools.map(({ name }) => name);
	const clean = written.split('<|')[0]!.trim();
	const exact = offeredName(written, names) ?? offeredName(clean, names);
	if (exact !== undefined) return tools.find(({ name }) => name === exact);
	const plain = clean.replace(/^functions\./i, '').toLowerCase();
	const alike = tools.filter(({ name }) => name.toLowerCase() === plain);
	return alike.length === 1 ? alike[0] : undefined;
}

/** Arguments that a tool needs and a call lacks. */
export function missingArguments({ parameters }: ToolDefinition, args: Record<string, unknown>): string[] {
	const { required } = recordOf(parameters);
	return Array.isArray(required)
		? required.filter((key): key is string => typeof key === 'string' && !Object.hasOwn(args, key))
		: [];
}
