import type { LocalLlamaResource } from '../operation';
import { getVoices } from './get-voices';
import { speak } from './speak';
import { transcribe } from './transcribe';
import { translate } from './translate';

export const audio: LocalLlamaResource = {
	option: { name: 'Audio', value: 'audio' },
	operations: [getVoices, speak, transcribe, translate],
	preset: 'transcribe',
};
