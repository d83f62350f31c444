/** A model as a line for a drop-down. */
import { getDisplayName } from './model-names';
import type { ServerModel } from './server-model';

/**
 * A line for a drop-down: name and known facts, for example "qwen3-8b (8.2B, Q4_K_M, 32k context, vision, loaded)".
 *
 * @param name - Display name.
 */
export function describeModel(model: ServerModel, name: string = getDisplayName(model.id)): string {
	const { parameters, quantization, context, state, remoteHost } = model;
	const capabilities = (['vision', 'audio', 'video', 'decisions'] as const).filter(
		(capability) => model[capability] === true,
	);
	const tokens = context && context >= 1024 ? `${Math.round(context / 1024)}k` : context;
	const facts = [
		typeof parameters === 'number' ? formatCount(parameters) : parameters,
		quantization,
		tokens ? `${tokens} context` : undefined,
		...capabilities,
		state === 'unloaded' ? 'not loaded' : state,
		remoteHost === undefined ? undefined : `runs on ${remoteHost}`,
	].filter((fact) => fact !== undefined);
	return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}

function formatCount(count: number) {
	return count >= 1e9 ? `${(count / 1e9).toFixed(1)}B` : `${Math.round(count / 1e6)}M`;
}
