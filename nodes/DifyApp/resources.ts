import { createResourceTable } from '../shared/run/operations';
import {
	annotationCreate,
	annotationDelete,
	annotationGetAll,
	annotationUpdate,
} from './annotation';
import { appGet } from './app';
import { audioSpeak, audioTranscribe } from './audio';
import { fileDownload, fileUpload } from './file';
import { textGenerate } from './generate';

export const operations = createResourceTable([
	{
		option: { name: 'Text', value: 'text', description: 'For text generator apps' },
		operations: [textGenerate],
	},
	{ option: { name: 'Audio', value: 'audio' }, operations: [audioSpeak, audioTranscribe] },
	{
		option: {
			name: 'Annotation',
			value: 'annotation',
			description: 'Questions with predefined answers',
		},
		operations: [annotationGetAll, annotationCreate, annotationUpdate, annotationDelete],
	},
	{ option: { name: 'File', value: 'file' }, operations: [fileUpload, fileDownload] },
	{ option: { name: 'App', value: 'app' }, operations: [appGet] },
]);
