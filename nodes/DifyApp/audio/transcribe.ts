import { featureOf } from '../../../lib/dify/speech';
import { recordingFor, transcribe } from '../../../lib/dify/transcription';
import { binarySource } from '../../shared/binary';
import type { AppOperation } from '../../shared/dify/app-operations';
import { userField } from '../../shared/dify/fields';
import { userIn } from '../../shared/dify/ids';

export const audioTranscribe: AppOperation = {
	option: {
		name: 'Transcribe',
		value: 'transcribe',
		action: 'Transcribe a recording',
		description: 'Writes down what is said, with the model of transcription in Dify',
	},
	fields: [
		{
			displayName: 'Input Binary Field',
			name: 'binaryPropertyName',
			type: 'string',
			default: 'data',
			required: true,
			hint: 'The name of the input binary field with the recording: MP3, M4A, WAV or AMR, 30 MB at most',
		},
		userField,
	],
	run: async ({ context, app, parameters, signal }) => {
		const { itemIndex } = parameters;
		const source = await binarySource(context, itemIndex, parameters.name('binaryPropertyName'));
		const recording = recordingFor(source);
		const user = userIn(parameters);
		featureOf(await app.parameters(signal), 'speech_to_text');
		const text = await transcribe(app.client, recording, user, signal);
		if (text.trim() === '')
			context.addExecutionHints({
				message: 'Nothing was heard in the recording.',
				location: 'outputPane',
				type: 'info',
			});
		return [{ json: { text, fileName: source.name, bytes: source.size }, pairedItem: { item: itemIndex } }];
	},
};
