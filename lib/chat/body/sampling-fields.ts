/** Options of a generation as request fields. */
import type { ServerType } from '../../servers/types/server-type';
import type { JsonRecord } from '../../values/records';
import type { SamplingSettings, ThinkingEffort } from '../settings';
import type { GenerationOption, GenerationOptionName } from './generation-options';
import { GENERATION_OPTION_LIST, GENERATION_OPTIONS } from './generation-options';
import { getOwn, setOwn } from '../../values/own-properties';

/** Whether an option is sent to this server type. Options that the type is known to ignore are not sent. */
export function supportsOption(
	{ supportedFields }: ServerType,
	name: GenerationOptionName,
): boolean {
	const { extension }: GenerationOption = GENERATION_OPTIONS[name];
	if (supportedFields === 'all') return extension !== 'listedServers';
	return extension === undefined || supportedFields.includes(name);
}

/** An effort that was set, and what is sent for it: the nearest one that the server type has. */
export interface SentEffort {
	effort?: ThinkingEffort;
	sent?: string;
}

export function toSentEffort(
	{ thinking }: Pick<SamplingSettings, 'thinking'>,
	{ thinking: { nearestEfforts = {} } }: ServerType,
): SentEffort {
	if (thinking?.mode !== 'effort') return {};
	const { effort } = thinking;
	return { effort, sent: getOwn(nearestEfforts, effort) ?? effort };
}

const NO_LIMIT = -1;

/** The request fields of the options that are set. */
export function toSamplingFields(sampling: SamplingSettings, serverType: ServerType): JsonRecord {
	const { supportsUnlimitedTokens, fieldNames = {} } = serverType;
	const body: JsonRecord = {};
	for (const { name, fieldName } of GENERATION_OPTION_LIST) {
		const value = sampling[name];
		if (value === undefined || name === 'parallelToolCalls' || !supportsOption(serverType, name))
			continue;
		if (name === 'maxTokens' && value === NO_LIMIT && !supportsUnlimitedTokens) continue;
		setOwn(body, fieldNames[name] ?? fieldName, value);
	}
	return body;
}
