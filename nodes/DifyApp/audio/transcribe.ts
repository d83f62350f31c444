import { featureOf } from '../../../lib/dify/app/speech';
import { recordingFor, transcribe } from '../../../lib/dify/app/transcription';
import type { DifyOperation } from '../../shared/dify/run';
import { binaryField, fileIn, userField } from '../../shared/dify/fields';
import { userIn } from '../../shared/dify/ids';
import { hintOnce } from '../../shared/run/hints';

export const audioTranscribe: DifyOperation = {
	option: {
		name: 'Transcribe',
		value: 'transcribe',
		action: 'Transcribe a recording',
		description: 'Writes down what is said, with the speech-to-text model of Dify',
	},
	fields: [binaryField('the recording: MP3, M4A, WAV or AMR, 30 MB at most'), userField],
	run: async (call) => {
		const { context, client, appParameters, parameters } = call;
		const source = await fileIn(call);
		const recording = recordingFor(source);
		const user = userIn(parameters);
		featureOf(await appParameters(), 'speech_to_text');
		const text = await transcribe(client, recording, user);
		if (text.trim() === '') hintOnce(context, 'Nothing was heard in the recording.', 'info');
		return [{ json: { text, fileName: source.name, bytes: source.size } }];
	},
};
