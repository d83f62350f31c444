/** The warning about options that a server ignores. */
import type { ServerType } from '../../servers/types/server-type';
import type { SamplingSettings } from '../settings';
import { GENERATION_OPTION_LIST } from './generation-options';
import { RESPONSE_FORMAT_FIELDS } from './response-format-fields';
import { supportsOption, toSentEffort } from './sampling-fields';
import { THINKING_FIELDS } from './thinking-fields';

/** A warning about the set options that this server type ignores. */
export function getIgnoredOptionWarnings(
	sampling: SamplingSettings,
	serverType: ServerType,
): string[] {
	const ignored = getIgnoredOptions(sampling, serverType);
	const { effort, sent } = toSentEffort(sampling, serverType);
	const warnings: string[] = [];
	if (ignored.length > 0)
		warnings.push(
			`This server (${serverType.label}) does not support these options, so they were not sent: ${ignored.join(', ')}`,
		);
	if (effort !== sent)
		warnings.push(
			`${serverType.label} does not support the thinking effort "${effort}", so "${sent}" was used.`,
		);
	return warnings;
}

/** Labels of set options that this server type ignores. */
function getIgnoredOptions(sampling: SamplingSettings, serverType: ServerType): string[] {
	const { thinking, responseFormat } = sampling;
	const ignored: string[] = GENERATION_OPTION_LIST.filter(
		({ name }) => sampling[name] !== undefined && !supportsOption(serverType, name),
	).map(({ label }) => label);
	// Off is not reported: a model without thinking complies anyway.
	if (thinking?.mode === 'on' && serverType.thinking.switch === 'none')
		ignored.push(THINKING_FIELDS.thinking.label);
	if (thinking?.mode === 'budget' && serverType.thinking.budgetFields.length === 0)
		ignored.push(THINKING_FIELDS.thinkingBudget.label);
	if (responseFormat?.type === 'grammar' && !serverType.toGrammarFields)
		ignored.push(RESPONSE_FORMAT_FIELDS.responseFormat.choices.grammar[0]);
	return ignored;
}
