/** The warning about options that a server ignores. */
import type { ServerType } from '../../servers/types/server-type';
import type { SamplingSettings } from '../settings';
import { GENERATION_OPTION_LIST } from './generation-options';
import { supportsOption } from './sampling-fields';

/** A warning about the set options that this server type ignores. */
export function getIgnoredOptionWarnings(
	sampling: SamplingSettings,
	serverType: ServerType,
): string[] {
	const ignored = getIgnoredOptions(sampling, serverType);
	if (ignored.length === 0) return [];
	return [
		`This server (${serverType.label}) does not support these options, so they were not sent: ${ignored.join(', ')}`,
	];
}

/** Labels of set options that this server type ignores. */
function getIgnoredOptions(sampling: SamplingSettings, serverType: ServerType): string[] {
	const { thinking, responseFormat } = sampling;
	const ignored = GENERATION_OPTION_LIST.filter(
		({ name }) => sampling[name] !== undefined && !supportsOption(serverType, name),
	).map(({ label }) => label);
	// Off is not reported: a model without thinking complies anyway.
	if (thinking?.mode === 'on' && serverType.thinkingSwitch === 'none') ignored.push('Thinking');
	if (thinking?.mode === 'budget' && !serverType.supportsThinkingBudget)
		ignored.push('Thinking Token Budget');
	if (responseFormat?.type === 'grammar' && !serverType.toGrammarFields)
		ignored.push('GBNF Grammar');
	return ignored;
}
