import { featureOf } from '../../../lib/dify/speech';
import { recordingFor, transcribe } from '../../../lib/dify/transcription';
import { binarySource } from '../../shared/binary';
import type { DifyOperation } from '../../shared/dify/run';
import { userField } from '../../shared/dify/fields';
import { userIn } from '../../shared/dify/ids';
import { stringField } from '../../shared/field-kinds';
import { hintOnce } from '../../shared/run/hints';

export const audioTranscribe: DifyOperation = {
	option: {
		name: 'Transcribe',
		value: 'transcribe',
		action: 'Transcribe a recording',
		description: 'Writes down what is said, with the model of transcription in Dify',
	},
	fields: [
		stringField('Input Binary Field', 'binaryPropertyName', {
			default: 'data',
			required: true,
			hint: 'The name of the input binary field with the recording: MP3, M4A, WAV or AMR, 30 MB at most',
		}),
		userField,
	],
	run: async ({ context, client, appParameters, parameters }) => {
		const { itemIndex } = parameters;
		const source = await binarySource(context, itemIndex, parameters.name('binaryPropertyName'));
		const recording = recordingFor(source);
		const user = userIn(parameters);
		featureOf(await appParameters(), 'speech_to_text');
		const text = await transcribe(client, recording, user);
		if (text.trim() === '') hintOnce(context, 'Nothing was heard in the recording.', 'info');
		return [{ json: { text, fileName: source.name, bytes: source.size } }];
	},
};
