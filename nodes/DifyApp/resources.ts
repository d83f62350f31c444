import { resourceTable } from '../shared/run/operations';
import { annotationCreate, annotationDelete, annotationGetAll } from './annotation/routes';
import { annotationUpdate } from './annotation/update';
import { appGet } from './app/get';
import { audioSpeak } from './audio/speak';
import { audioTranscribe } from './audio/transcribe';
import { fileDownload } from './file/download';
import { fileUpload } from './file/upload';
import { textGenerate } from './text/generate';

/** What the node can do. */
export const operations = resourceTable([
	{
		option: { name: 'Text', value: 'text', description: 'For apps of the type text generator' },
		operations: [textGenerate],
	},
	{ option: { name: 'Audio', value: 'audio' }, operations: [audioSpeak, audioTranscribe] },
	{
		option: {
			name: 'Annotation',
			value: 'annotation',
			description: 'Questions with fixed answers',
		},
		operations: [annotationGetAll, annotationCreate, annotationUpdate, annotationDelete],
	},
	{ option: { name: 'File', value: 'file' }, operations: [fileUpload, fileDownload] },
	{ option: { name: 'App', value: 'app' }, operations: [appGet] },
]);
