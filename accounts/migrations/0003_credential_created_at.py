import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """When the credentials that are there were made is not known, so the default comes second."""

    dependencies = [
        ('accounts', '0002_domain_tags'),
    ]

    operations = [
        migrations.AddField('credential', 'created_at', models.DateTimeField(null=True)),
        migrations.AlterField('credential', 'created_at', models.DateTimeField(default=django.utils.timezone.now, null=True)),
    ]
